"""The texts of all pages as one script: from it, search has its excerpts also where the site is opened from the file system."""

import json

NO_TEXT = ("search.html", "genindex.html", "index.html", "404.html")  # relative to the site's root
SCRIPT = "scripts/offline-search.js"
DROPPED = "script, style, svg, noscript, template, .headerlink"


def add_search_texts(site):
    """Write the texts of the pages of the folder `site` beside them; the script that reads them is put in by the extension."""
    from bs4 import BeautifulSoup

    if not (site / SCRIPT).is_file():
        return
    texts = {}
    for path in sorted(site.rglob("*.html")):
        name = path.relative_to(site).as_posix()
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") if name not in NO_TEXT else None
        if soup and (article := soup.find("article")):
            texts[name] = f'<main role="main">{_bare(article)}</main>'
    script = f"companionTexts({json.dumps(texts, ensure_ascii=False)});\n"
    (site / "searchtexts.js").write_text(script, encoding="utf-8", newline="\n")


def _bare(article):
    """An article without anything but its words and the places that search links to."""
    for tag in article.select(DROPPED):
        tag.decompose()
    for tag in article.find_all(True):
        if tag.get("id"):
            tag.name, tag.attrs = "div", {"id": tag["id"]}
        else:
            tag.append(" " if tag.name in ("td", "th", "li", "p", "br") else "")
            tag.unwrap()
    return " ".join(article.decode_contents().split())
