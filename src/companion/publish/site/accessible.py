"""Mends the built pages for readers with a keyboard, a screen reader or a slow line; every page gets it by itself.

The theme writes markup that axe-core refuses, MyST-NB folds whose hidden names are wrong, and pandas whole tables as raw HTML,
which no step of Sphinx looks into: only a finished page has all three. So the finished pages are mended here (one second for
the book), one function for each thing that was wrong; what depends on the width of the window is left to
`book/scripts/accessible.js`, and what is a matter of colour or of motion to `book/static/custom.css`.
"""

import re
from urllib.parse import unquote, urlsplit

from companion.publish.site import solutions

SHARP = 150  # a picture of at least so many dots per inch was drawn at twice the size that it is shown at


def mend(built, *further):
    """Mend every page of the site in the folder `built`; `further` are functions of a page's soup and its name that do more to it."""
    from bs4 import BeautifulSoup

    for path in pages(built):
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for step in (
            solutions.fold,
            drop_unused_scripts,
            name_landmarks,
            name_buttons,
            say_visible_names,
            mark_headers,
            mark_downloads,
        ):
            step(soup)
        size_pictures(soup, path)
        for step in further:
            step(soup, path.relative_to(built).as_posix())
        path.write_text(str(soup), encoding="utf-8", newline="\n")


def pages(built):
    """The pages of the site, without the theme's templates that lie among its static files."""
    return sorted(path for path in built.rglob("*.html") if "_static" not in path.relative_to(built).parts)


def drop_unused_scripts(soup):
    """Thebe, which runs cells on a server, is loaded twice by the theme and used by no page: the second time is an error."""
    for tag in soup.find_all(["script", "link"]):
        if any(
            "thebe" in text.lower() for text in (tag.get("src", ""), tag.get("href", ""), tag.get("type", ""), tag.text)
        ):
            tag.decompose()


def name_landmarks(soup):
    """The sidebar is a landmark, the drawers and the search window have names, the button back to the top lies within the page."""
    if sidebar := soup.find(id="pst-primary-sidebar"):
        sidebar["role"], sidebar["aria-label"] = "complementary", "The book"
    names = {"pst-primary-sidebar-modal": "The book", "pst-secondary-sidebar-modal": "This page"}
    for key, name in {**names, "pst-search-dialog": "Search"}.items():
        if dialog := soup.find("dialog", id=key):
            dialog["aria-label"] = name
    button, main = soup.find(id="pst-back-to-top"), soup.find("main")
    if button and main:
        main.append(button.extract())


def name_buttons(soup):
    """A button that shows only a picture is called what its tooltip says, with and without the theme's script."""
    for button in soup.find_all(["button", "a"], title=True):
        if not button.get_text(strip=True) and not button.get("aria-label"):
            button["aria-label"] = button["title"]


def say_visible_names(soup):
    """Whoever speaks to the computer says what is written: no hidden name in place of the visible one."""
    for tag in soup.find_all(["summary", "button"], attrs={"aria-label": True}):
        if tag.get_text(strip=True):
            del tag["aria-label"]
    for icon in soup.find_all("i", title=True):  # of the switch between light and dark, whose name is another
        del icon["title"]


def mark_headers(soup):
    """An empty corner of a table is no header; a header says whether it heads a column or a row."""
    for cell in soup.find_all("th"):
        if not cell.get_text(strip=True) and not cell.find("img"):
            cell.name = "td"
        elif not cell.get("scope"):
            cell["scope"] = "col" if cell.find_parent("thead") else "row"


def mark_downloads(soup):
    """A file of the menu of downloads is saved; no window opens with its bare text."""
    for link in soup.select(".dropdown-download-buttons a[href]"):
        link["download"] = ""
        del link["target"]


def size_pictures(soup, path):
    """Width and height of every picture, so that the page does not jump while they load."""
    for image in soup.article.find_all("img", src=True) if soup.article else ():
        if "height" in image.get("style", ""):  # of a figure for dense screens; fixed, it would be squeezed on a phone
            del image["style"]
        source = urlsplit(image["src"])
        file = path.parent / unquote(source.path)
        if source.scheme or image.has_attr("width") or not file.is_file():
            continue
        if size := shown_size(file):
            image["width"], image["height"] = map(str, size)


def shown_size(file):
    """The width and height in pixels of the page at which a picture is shown; None for a drawing without a size."""
    if file.suffix == ".svg":
        box = re.search(r'viewBox="\s*\S+\s+\S+\s+([\d.]+)\s+([\d.]+)', file.read_text(encoding="utf-8"))
        return box and tuple(round(float(side)) for side in box.groups())
    from PIL import Image

    with Image.open(file) as picture:
        (width, height), dots = picture.size, picture.info.get("dpi", (72, 72))[0]
    scale = 2 if dots >= SHARP else 1
    return round(width / scale), round(height / scale)
