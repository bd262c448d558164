"""What search engines, link previews and lost readers get: descriptions, addresses, the front door, the 404 page."""

import html
import re

from companion.publish import project
from companion.publish.project import config, site_address

DESCRIPTION = 200  # characters at most, cut at a word


def finish(root, built):
    """Complete the built site: descriptions and Open Graph tags on each page, the front door, the 404 page."""
    address, title = site_address(root), config(root).get("title", "")
    index = (built / "book" / "index.html").read_text(encoding="utf-8")
    general = description(index) or title
    for template in (built / "_static").glob("*webpack-macros.html"):  # the theme's, no pages
        template.unlink()
    for page in sorted(built.rglob("*.html")):
        text = page.read_text(encoding="utf-8")
        if "</head>" not in text or page.parent == built:
            continue
        name = page.relative_to(built).as_posix()
        own = page_title(text) or title
        tags = meta_tags(own, description(text) or general, title, address and address + name)
        page.write_text(text.replace("</head>", tags + "</head>", 1), encoding="utf-8")
    tags = meta_tags(title, general, title, address)
    (built / "index.html").write_text(FRONT_DOOR.format(title=html.escape(title), tags=tags), encoding="utf-8")
    (built / "404.html").write_text(not_found(root, built, address, title), encoding="utf-8")


def page_title(text):
    """The title of a page without the book's, as plain text."""
    found = re.search(r"<title>(.*?)</title>", text, re.S)
    return html.unescape(found.group(1)).partition(" — ")[0].strip() if found else ""


def description(text):
    """The first paragraph of a page's article, shortened at the end of a sentence or a word; "" without one."""
    from bs4 import BeautifulSoup

    article = BeautifulSoup(text, "html.parser").find("article")
    for paragraph in article.find_all("p") if article else []:
        if paragraph.find_parent(class_=re.compile("provenance|front|admonition|cell")):
            continue
        words = " ".join(paragraph.get_text().split())
        if len(words) > DESCRIPTION:
            cut = words[: DESCRIPTION - 1]
            sentence = cut[: cut.rfind(". ") + 1]
            words = sentence if len(sentence) > DESCRIPTION / 2 else cut.rpartition(" ")[0].rstrip(",;:–") + "…"
        if words:
            return words
    return ""


def meta_tags(title, words, site_name, address):
    """The tags for previews and search engines; the canonical link itself comes from Sphinx."""
    kind = "website" if title == site_name else "article"
    properties = {"title": title, "description": words, "type": kind, "site_name": site_name, "locale": "en_GB"}
    if address:
        properties["url"] = address
    lines = [f'<meta name="description" content="{html.escape(words)}" />']
    lines += [f'<meta property="og:{name}" content="{html.escape(text)}" />' for name, text in properties.items()]
    return "\n".join(lines) + "\n"


FRONT_DOOR = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<title>{title}</title>
<meta http-equiv="refresh" content="0; url=book/index.html" />
{tags}<link rel="icon" href="_static/favicon.svg" />
</head>
<body><main><h1>{title}</h1><p><a href="book/index.html">To the book</a></p></main></body>
</html>
"""
# The server shows this page for every address that it does not know, at any depth: so its style stands in the page, and its
# links start at the site's root. That is known when `html: baseurl` is set; otherwise the script guesses it as GitHub Pages has it.
NOT_FOUND = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="robots" content="noindex" />
<title>No such page – {title}</title>
{base}<style>
:root {{ color-scheme: light dark; --ink: #222832; --paper: #fff; --link: #0f5fb8; --line: #c9d1da; }}
@media (prefers-color-scheme: dark) {{ :root:not([data-theme]) {{ --ink: #e5e9f0; --paper: #14181e; --link: #8ec2ff; --line: #48566b; }} }}
:root[data-theme="dark"] {{ color-scheme: dark; --ink: #e5e9f0; --paper: #14181e; --link: #8ec2ff; --line: #48566b; }}
:root[data-theme="light"] {{ color-scheme: light; }}
body {{ margin: 0; background: var(--paper); color: var(--ink); font: 1.05rem/1.6 system-ui, sans-serif; }}
main {{ max-width: 38rem; margin: 10vh auto; padding: 0 1.2rem; }}
svg {{ width: 5rem; height: 5rem; }}
h1 {{ font-size: 1.9rem; line-height: 1.2; }}
a {{ color: var(--link); }}
form {{ display: flex; gap: 0.5rem; flex-wrap: wrap; margin: 1.2rem 0; }}
input, button {{ font: inherit; padding: 0.35rem 0.7rem; border: 1px solid var(--line); border-radius: 0.4rem; }}
input, button {{ background: var(--paper); color: var(--ink); }}
input {{ flex: 1 1 12rem; }}
::placeholder {{ color: inherit; opacity: 0.75; }}
</style>
</head>
<body><main>
{logo}
<h1>There is no such page here</h1>
<p>One run, one address, and it differs from what was expected. The page may have moved, or the link has a slip in it.</p>
<form action="search.html" role="search"><input type="search" name="q" aria-label="Search the book" placeholder="Search the book" />
<button>Search</button></form>
<p>Or start from <a href="book/index.html">the front page</a>, or from one of the pages:</p>
<ul>
{pages}
</ul>
</main></body>
</html>
"""
GUESS = """\
<script>
(function () {  // as GitHub Pages has it: the site of a project lies in a folder with the project's name
  try {
    var mode = localStorage.getItem("mode");
    if (mode === "dark" || mode === "light") document.documentElement.dataset.theme = mode;
  } catch (error) { /* no storage, no matter */ }
  if (KNOWN || location.protocol === "file:" || /\\/404\\.html$/.test(location.pathname)) return;
  var project = /\\.github\\.io$/.test(location.hostname) ? location.pathname.split("/")[1] + "/" : "";
  document.write('<base href="/' + project + '">');
})();
</script>
"""


def not_found(root, built, address, title):
    """The page for addresses that lead nowhere: whole in itself, with the front page, the search and the contents."""
    path = re.sub(r"^https?://[^/]+", "", address)
    base = (f'<base href="{path}" />\n' if path else "") + GUESS.replace("KNOWN", "true" if path else "false")
    logo = (root / "book" / "static" / "favicon.svg").read_text(encoding="utf-8").strip()
    entries = []
    for page in project.toc_pages(root)[1:]:
        name = page.removesuffix(".ipynb").removesuffix(".md") + ".html"
        words = page_title((built / name).read_text(encoding="utf-8"))
        entries.append(f'<li><a href="{name}">{html.escape(words)}</a></li>')
    return NOT_FOUND.format(title=html.escape(title), base=base, logo=logo, pages="\n".join(entries))
