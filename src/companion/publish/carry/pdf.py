"""The whole book as one PDF: every page of the site in one document, printed by Chromium.

The pages are joined here and not by Sphinx's singlehtml, which stops at Jupyter Book's folded cells ("unknown node type:
HideCodeCellNode") and does not turn links in raw HTML, such as the ledger's, into links inside the document.

It is printed twice: the first time to learn on which page each heading falls, the second with these numbers in the contents.
What is folded on the web is open on paper; the code of figures and of installation, which hardly anybody opens, is left out.
"""

import contextlib
import io
import os
import posixpath
import re
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from companion.evidence import table
from companion.publish import UserError, git, project
from companion.publish.pages import handout

STYLE = Path(__file__).with_name("paper.css")
OLDEST = 131  # the first Chromium that prints page numbers and running feet by CSS
CONTENT_WIDTH = 658  # CSS pixels: A4 without the side margins of paper.css, so that we measure what will be printed
REFERENCES = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "aria-owns", "headers", "list")


@dataclass(frozen=True)
class Site:
    """The built site: its folder, the way to it from the document, its settings, {page: its ids}, git's files."""

    folder: Path
    base: str
    config: dict
    places: dict
    tracked: frozenset


@dataclass(frozen=True)
class Chapter:
    """A page of the site, ready for the document: its ids begin with `slug`, `sections` are (id, title as text).

    `opening` is the tag of its part's caption above it, "h1" on the first page of a part, or "" without one.
    """

    slug: str
    part: str
    title: str
    sections: tuple
    kind: str
    opening: str
    body: str


def make_pdf(root, site, target, solutions=True):
    """Print the built site, with or without its solutions, into the file `target`; returns how many pages it has."""
    document = root / "_build" / "print.html"
    document.write_text(merge(root, site, solutions), encoding="utf-8")
    with opened(document) as page:
        prepare(page)
        data, numbers = _print(page, {})
        for _ in range(4):  # the numbers are narrower than their placeholders: the contents may get shorter once
            before = numbers
            data, numbers = _print(page, before)
            if numbers == before:
                break
        else:
            raise UserError("The PDF does not settle: the page numbers of its contents change with every printing.")
        headings = page.eval_on_selector_all("h1, h2, h3, h4, h5, h6", "all => all.map(e => e.textContent)")
    return _finish(project.config(root), data, headings, target)


def merge(root, folder, solutions=True):
    """One HTML document out of all pages of the table of contents, in order, with a title page and the contents."""
    from bs4 import BeautifulSoup

    names = [project.html_name(page) for page in project.toc_pages(root)]
    soups = {name: BeautifulSoup((folder / name).read_text(encoding="utf-8"), "html.parser") for name in names}
    places = {name: {tag["id"] for tag in soup.find_all(id=True)} for name, soup in soups.items()}
    base, tracked = Path(os.path.relpath(folder, root / "_build")).as_posix(), project.tracked_files(root) or ()
    site = Site(folder, base, project.config(root), places, frozenset(tracked))
    parts = part_of(root)
    opening = {parts[name]: name for name in reversed(names) if name in parts}.values()
    book = [_chapter(soup, name, parts.get(name, ""), name in opening, site) for name, soup in soups.items()]
    head = soups[names[0]].head
    styles = [_file(site, names[0], link["href"]) for link in head.find_all("link", rel="stylesheet")]
    mathjax = [script.string for script in head.find_all("script") if "window.MathJax" in (script.string or "")]
    engine = [_file(site, names[0], script["src"]) for script in head.find_all("script", src=re.compile("mathjax/"))]
    return _template().render(
        book=book,
        styles=styles,
        paper=STYLE.read_text(encoding="utf-8"),
        mathjax=mathjax,
        engine=engine,
        solutions=solutions,
        banner=handout.BANNER,
        **_imprint(root, site),
    )


def _template():
    from jinja2 import FileSystemLoader

    made = table.environment(FileSystemLoader(STYLE.with_name("templates")))
    made.filters["css"] = _css_string
    return made.get_template("print.html")


def part_of(root):
    """{page: caption of its part} by `_toc.yml`."""
    return {project.html_name(page): part.caption for part in project.contents(root)[1] for page in part.pages}


def slug(name):
    """The beginning of all ids of the page `name`."""
    return re.sub(r"[^\w-]+", "-", name.removesuffix(".html").removeprefix("book/"))


def _chapter(soup, name, part, opens, site):
    """The page's article: unfolded, its ids prefixed, links to pages turned into links inside the document."""
    own = slug(name)
    article = soup.find("article")
    if article is None or not article.find("h1"):
        raise UserError(f"The page {name} of the built site has no article with a title: run `make book`.")
    for tag in article.select("script, noscript, link, .headerlink, button, template"):
        tag.decompose()
    for tag in article.select(".only-dark, picture > source"):  # paper is light and wide
        tag.decompose()
    for word in article.select("a.term"):  # on paper no card opens
        word.unwrap()
    _unfold(article)
    for tag in article.find_all(True):
        _localise(tag, name, site)
    title, *others = article.find_all(["h1", "h2"])
    sections = []
    for number, heading in enumerate(others):
        section = heading.parent
        if section.name != "section" or not section.get("id") or section.find(["h1", "h2"]) is not heading:
            section = heading  # a heading written as raw HTML
            heading["id"] = heading.get("id") or f"{own}--heading-{number}"
        if heading.name == "h2":
            sections.append((section["id"], heading.get_text(" ", strip=True)))
    text = title.get_text(" ", strip=True)
    opening, kind = "", "chapter root-page"
    if name != next(iter(site.places)):  # all but the front page stand below the heading of a part
        for level in (5, 4, 3, 2, 1):
            for heading in article.find_all(f"h{level}"):
                heading.name = f"h{level + 1}"
        kind = "chapter"
        if part:
            opening = "h1" if opens else "p"  # the bookmarks: parts, their chapters, the chapters' sections
    title["class"] = "chapter-title"
    return Chapter(own, part, text, tuple(sections), kind, opening, article.decode_contents())


def _unfold(article):
    """Open what is folded, solutions and outputs; drop the folded code of figures and of the installation."""
    for details in article.find_all("details"):
        cell = details.find_parent("div", class_="cell")
        classes = set(cell.get("class", [])) if cell else set()
        of_a_cell = "hide" in details.get("class", [])
        if of_a_cell and "tag_solution" not in classes and not details.find(class_="cell_output"):
            details.decompose()
            continue
        summary = details.find("summary")
        label = summary.get_text(" ", strip=True) if summary else ""
        if of_a_cell:  # the fold's name, or MyST-NB's own words: "Show code cell content"
            name = summary.select_one(".collapsed") if summary else None
            label = name.get_text(" ", strip=True) if name else ""
            label = "" if label.startswith("Show code cell") else label
        if summary:
            summary.name, summary["class"], summary.string = "p", "unfolded-label", label
            if not label:
                summary.decompose()
        details.name, details["class"] = "div", "unfolded"
    for cell in article.find_all("div", class_="cell"):
        if not cell.find(True):
            cell.decompose()


def _localise(tag, name, site):
    """Make ids, references, links and files of one element right for the one document."""
    own, known = slug(name), site.places[name]
    if tag.get("id"):
        tag["id"] = f"{own}--{tag['id']}"
    for attribute in REFERENCES:
        if attribute in tag.attrs:
            words = tag[attribute] if isinstance(tag[attribute], list) else tag[attribute].split()
            tag[attribute] = " ".join(f"{own}--{word}" if word in known else word for word in words)
    if tag.name == "style" and tag.string:  # pandas writes rules for the ids of its cells
        tag.string = re.sub(r"#([A-Za-z][\w-]*)", lambda m: f"#{own}--{m[1]}" if m[1] in known else m[0], tag.string)
    for attribute, value in list(tag.attrs.items()):
        if isinstance(value, str) and "url(#" in value:
            tag[attribute] = value.replace("url(#", f"url(#{own}--")
    if tag.get("src"):
        tag["src"] = tag["src"] if urlsplit(tag["src"]).scheme else _file(site, name, tag["src"])
    if tag.name == "img":
        tag.attrs.pop("loading", None)
    for attribute in ("href", "xlink:href"):
        if attribute in tag.attrs:
            target = _target(tag[attribute], name, site)
            if target:
                tag[attribute] = target
            else:  # a file that lies beside the site, and is nowhere else: its name stays as text
                del tag[attribute]


def _target(link, name, site):
    """Where a link of the page `name` leads on paper: into the document, to an address, or nowhere (None)."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return link
    page = _on_site(name, parts.path) if parts.path else name
    if page in site.places:
        fragment = unquote(parts.fragment)
        return f"#{slug(page)}--{fragment}" if fragment in site.places[page] else f"#{slug(page)}"
    if address := (site.config.get("html") or {}).get("baseurl"):
        return urljoin(address.rstrip("/") + "/", page)
    source = re.sub(r"^records/(.*\.json)$", r"src/companion/evidence/records/\1", page.removeprefix("_sources/"))
    repository = site.config["repository"]["url"].rstrip("/")
    return f"{repository}/blob/main/{source}" if source in site.tracked else None


def _on_site(name, link):
    """A link of the page `name` as a path from the site's root."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(urlsplit(link).path)))


def _file(site, name, link):
    """A file that the page `name` loads, as seen from the document."""
    return posixpath.join(site.base, _on_site(name, link))


def _css_string(text):
    return '"' + re.sub(r'(["\\])', r"\\\1", " ".join(text.split())) + '"'


def _imprint(root, site):
    """What the title page says."""
    about = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    facts = [f"Version {about['version']}"]
    if commit := git.last_commit(root):
        facts.append(f"commit {commit}")
    config = site.config
    logos = ["_static/" + Path((config.get("html") or {}).get(key) or "none").name for key in ("logo", "favicon")]
    subtitle = about["description"].removeprefix("A course companion: ")
    return {
        "title": config["title"],
        "subtitle": subtitle[0].upper() + subtitle[1:],
        "author": config["author"],
        "facts": facts,
        "repository": config["repository"]["url"],
        "logo": next((f"{site.base}/{file}" for file in logos if (site.folder / file).is_file()), ""),
    }


@contextlib.contextmanager
def opened(document):
    """The document in Chromium as a Playwright page, laid out as it will be printed; nothing from outside is fetched."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ModuleNotFoundError:
        raise UserError(
            "The PDF needs Playwright: install the book's tools with `pip install -r requirements.txt`."
        ) from None
    outside = []

    def judge(route):
        if route.request.url.startswith(("file:", "data:", "blob:")):
            return route.continue_()
        outside.append(route.request.url)
        return route.abort()

    with sync_playwright() as playwright:
        path = browser_path(playwright)
        try:
            browser = playwright.chromium.launch(executable_path=path, args=["--disable-gpu"])
        except Error as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(f"Chromium at {path or 'its usual place'} does not start: {reason}") from None
        try:
            if int(browser.version.partition(".")[0]) < OLDEST:
                raise UserError(f"The PDF needs Chromium {OLDEST} or newer; {path} is {browser.version}.")
            context = browser.new_context(viewport={"width": CONTENT_WIDTH, "height": 950}, color_scheme="light")
            context.set_default_timeout(300_000)
            context.route("**/*", judge)
            page = context.new_page()
            page.emulate_media(media="print", color_scheme="light", reduced_motion="reduce")
            page.goto(document.as_uri())
            page.wait_for_load_state("load")
            page.evaluate("window.MathJax?.startup?.promise.then(() => 0)")
            page.evaluate("document.fonts.ready.then(() => 0)")
            if outside:
                raise UserError("The book's pages ask for something from outside: " + ", ".join(sorted(set(outside))))
            yield page
        finally:
            browser.close()


def browser_path(playwright):
    """Chromium or Chrome: `CHROMIUM`, or what is installed, or the one that Playwright fetched (None)."""
    if chosen := os.environ.get("CHROMIUM"):
        if not shutil.which(chosen):
            raise UserError(f"CHROMIUM is {chosen!r}, and there is no such program.")
        return chosen
    if found := project.chromium():
        return found
    if Path(playwright.chromium.executable_path).is_file():
        return None
    raise UserError(
        "The PDF needs Chromium or Chrome and finds none: install it (on Debian and Ubuntu `apt install chromium`, "
        "elsewhere `playwright install chromium`), or set CHROMIUM to its path."
    )


# Shrinks what is wider than the page: first tables as they are, then with lines broken; formulas too. Marks long code,
# which may go on on the next page.
FIT = """() => {
  const narrow = (element, least) => {
    const room = element.parentElement.clientWidth + 1;
    const full = parseFloat(getComputedStyle(element).fontSize);
    for (let share = 1; element.getBoundingClientRect().width > room && share > least; share -= 0.04)
      element.style.fontSize = full * share + "px";
    return element.getBoundingClientRect().width <= room;
  };
  for (const table of document.querySelectorAll("table")) {
    if (narrow(table, 0.75)) continue;
    table.classList.add("wraps");
    if (!narrow(table, 0.6)) table.classList.add("wraps-anywhere");
  }
  for (const code of document.querySelectorAll("pre"))
    code.classList.toggle("long", code.textContent.trim().split("\\n").length > 24);
  for (const formula of document.querySelectorAll("mjx-container[display]")) {
    const drawn = formula.querySelector("mjx-math"), room = formula.clientWidth;
    if (drawn && drawn.getBoundingClientRect().width > room)
      formula.style.fontSize = 100 * room / drawn.getBoundingClientRect().width * 0.98 + "%";
  }
}"""
PROBLEMS = """() => {
  const problems = [], edge = document.body.getBoundingClientRect().right + 1.5;
  const where = (element) => (element.closest(".chapter")?.id ?? "the contents") + ": ";
  for (const image of document.images)
    if (!image.complete || !image.naturalWidth) problems.push(where(image) + "a picture is missing: " + image.alt);
  for (const wrong of document.querySelectorAll("mjx-merror"))
    problems.push(where(wrong) + "a formula cannot be read: " + wrong.textContent);
  const cut = (element) => element.clientWidth && element.scrollWidth > element.clientWidth + 1;
  for (const element of document.querySelectorAll("body *:not(span.math, mjx-container, mjx-container *, .visually-hidden), mjx-math"))
    if (element.getBoundingClientRect().right > edge || (!element.closest("mjx-math, svg") && cut(element)))
      problems.push(where(element) + "wider than the page: " + element.textContent.trim().slice(0, 60));
  return problems;
}"""


def prepare(page):
    """Make everything fit the width of the page; raises UserError with what does not, and with what is missing."""
    page.evaluate(FIT)
    if problems := page.evaluate(PROBLEMS):
        raise UserError("The book cannot be printed:\n" + "\n".join(f"  - {problem}" for problem in problems[:20]))


def _print(page, numbers):
    """The PDF with these page numbers in its contents, and the numbers that are right for it."""
    if numbers:
        page.evaluate(
            "numbers => document.querySelectorAll('.page-number').forEach(e => e.textContent = numbers[e.dataset.place])",
            numbers,
        )
    data = page.pdf(prefer_css_page_size=True, print_background=True, outline=True, tagged=True)
    found = page_numbers(data)
    wanted = page.eval_on_selector_all(".page-number", "all => all.map(e => e.dataset.place)")
    if missing := [place for place in wanted if place not in found]:
        raise UserError(f"Chromium wrote no link target for {', '.join(missing[:5])}.")
    return data, {place: found[place] for place in wanted}


def page_numbers(data):
    """{id of a place: number of its page, from 1} of a PDF that Chromium wrote."""
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(data))
    places = reader.named_destinations.items()
    return {name.lstrip("/"): reader.get_destination_page_number(place) + 1 for name, place in places}


def _finish(config, data, headings, target):
    """Add what Chromium leaves out, and write the file whole; returns its page count."""
    from pypdf import PdfWriter
    from pypdf.generic import BooleanObject, DictionaryObject, NameObject, TextStringObject

    writer = PdfWriter(io.BytesIO(data), incremental=True)
    writer.add_metadata({"/Author": config["author"], "/Title": config["title"]})
    root = writer.root_object
    root[NameObject("/PageMode")] = NameObject("/UseOutlines")
    root[NameObject("/ViewerPreferences")] = DictionaryObject({NameObject("/DisplayDocTitle"): BooleanObject(True)})
    words = {"".join(text.split()).casefold(): " ".join(text.split()) for text in headings}
    for mark in _bookmarks(root["/Outlines"]):  # as drawn: in capitals, and without the space where a line ends
        text = words.get("".join(mark["/Title"].split()).casefold(), mark["/Title"])
        mark[NameObject("/Title")] = TextStringObject(text)
    written = io.BytesIO()
    writer.write(written)
    project.write_whole(target, written.getvalue())
    return len(writer.pages)


def _bookmarks(node):
    """Every entry of the PDF's outline below `node`."""
    child = node.get("/First")
    while child is not None:
        mark = child.get_object()
        yield mark
        yield from _bookmarks(mark)
        child = mark.get("/Next")
