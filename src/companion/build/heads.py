"""What search engines, link previews and lost readers get: descriptions, addresses, keywords, the front door, the 404 page."""

import html
import os
import re

from companion.build import UserError, chapters

DESCRIPTION = 200  # characters at most, cut at a word


def config(root):
    """`_config.yml` as a dictionary."""
    import yaml

    try:
        return yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"_config.yml cannot be read: {' '.join(str(error).split())}.") from None


ADDRESS = r"https?://[\w.-]+(:\d+)?/([\w.~-]+/)*"


def site_address(root):
    """Where the site is published, with a slash at its end, from its one place: `_config.yml`, `html: baseurl`; or ""."""
    address = (config(root).get("html") or {}).get("baseurl") or ""
    return _checked(address) if address else ""


def _checked(address):
    address = str(address).rstrip("/") + "/"
    if not re.fullmatch(ADDRESS, address):
        raise UserError(f"{address!r} is no address of a site: it looks like https://owner.github.io/name/.")
    return address


def set_site(root, address):
    """Write the public address of the site into `_config.yml`; returns the file's name."""
    path = root / "_config.yml"
    line = f'  baseurl: "{_checked(address)}"'
    text, count = re.subn(r'^  baseurl: *("[^"\n]*"|[^\s#]*)', line, path.read_text(encoding="utf-8"), flags=re.M)
    if count != 1:
        raise UserError("_config.yml needs exactly one line `  baseurl: ...` below `html:`.")
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    os.replace(part, path)
    return path.name


# --------------------------------------------------------------------------------------------------------- keywords


def keywords(root):
    """{page: [words that readers type and the page does not use]} from `book/keywords.yml`; empty where there is none."""
    import yaml

    path = root / "book" / "keywords.yml"
    if not path.is_file():
        return {}
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise UserError(f"book/keywords.yml cannot be read: {' '.join(str(error).split())}.") from None
    pages = {page.partition(".")[0].removeprefix("book/") for page in chapters.toc_pages(root)}
    for page, words in found.items() if isinstance(found, dict) else [("the file", None)]:
        if not isinstance(words, list) or not all(isinstance(w, str) and re.fullmatch(r"[\w'.]+", w) for w in words):
            raise UserError(f"book/keywords.yml: {page} needs a list of single words.")
        if page not in pages:
            raise UserError(f"book/keywords.yml: the book has no page {page!r}.")
    return found


def add_keywords(book, words):
    """Give the staged pages their keywords, where the search index finds them."""
    import nbformat

    for page, listed in words.items():
        meta = {"html_meta": {"keywords": ", ".join(listed)}}
        path = book / f"{page}.ipynb"
        if path.is_file():
            notebook = nbformat.read(path, as_version=4)
            notebook.metadata["myst"] = meta
            chapters.write_notebook(notebook, path)
        else:
            path = book / f"{page}.md"
            line = meta["html_meta"]["keywords"]
            front = f'---\nmyst:\n  html_meta:\n    keywords: "{line}"\n---\n\n'
            path.write_text(front + path.read_text(encoding="utf-8"), encoding="utf-8")


# ------------------------------------------------------------------------------------------- the heads of the pages


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
    for page in chapters.toc_pages(root)[1:]:
        name = page.removesuffix(".ipynb").removesuffix(".md") + ".html"
        words = page_title((built / name).read_text(encoding="utf-8"))
        entries.append(f'<li><a href="{name}">{html.escape(words)}</a></li>')
    return NOT_FOUND.format(title=html.escape(title), base=base, logo=logo, pages="\n".join(entries))
