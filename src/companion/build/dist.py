"""The book to carry away: the site as a zip that opens from the file system, and the whole book as a PDF."""

import json
import os
import zipfile

from companion.build import UserError, handout, paper

UNUSED = (".map", ".mo", ".po", ".buildinfo", "webpack-macros.html")  # the tools' own files: no page loads them
NO_TEXT = ("search.html", "genindex.html", "index.html", "404.html")  # relative to the site's root
SCRIPT = "scripts/offline-search.js"
DROPPED = "script, style, svg, noscript, template, .headerlink"


def make(root, solutions=True):
    """Make both files in `_build/dist` out of the built site; yields each with what is to be said of it, once it is there."""
    site, folder = root / "_build" / ("html" if solutions else handout.SITE), root / "_build" / "dist"
    name, option = ("companion", "") if solutions else ("companion-without-solutions", " --without-solutions")
    if not (site / "index.html").is_file():
        first = "`make book`" if solutions else f"`companion build{option}`"
        raise UserError(f"There is no built site to pack: run {first} first.")
    folder.mkdir(exist_ok=True)
    files = make_zip(site, folder / f"{name}.zip")
    yield folder / f"{name}.zip", f"the site, {files} files; unpack it and open companion/index.html"
    pages = paper.make_pdf(root, site, folder / f"{name}.pdf", solutions)
    yield folder / f"{name}.pdf", f"the book on paper, {pages} pages"


def make_zip(site, target):
    """Pack the site, the same bytes for the same site: sorted, without dates; returns the number of files."""
    files = sorted(p for p in site.rglob("*") if p.is_file() and not p.name.endswith(UNUSED))
    part = target.with_name(target.name + ".part")
    with zipfile.ZipFile(part, "w") as archive:
        for path in files:
            entry = zipfile.ZipInfo("companion/" + path.relative_to(site).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)
    os.replace(part, target)
    return len(files)


def add_search_texts(site):
    """Give search its excerpts also over file://, where it cannot fetch the pages: their texts as one script."""
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
    page = site / "search.html"
    head, end, rest = page.read_text(encoding="utf-8").partition("</head>")
    if end and SCRIPT not in head:
        page.write_text(f'{head}<script src="{SCRIPT}"></script>\n{end}{rest}', encoding="utf-8")


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
