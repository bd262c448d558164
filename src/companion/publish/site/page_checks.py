"""Refuses what the tools let pass in silence in the built site.

Every check returns a list of sentences; an empty list means that all is well.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

from companion.publish.notebooks.checks import MIN_ALT
from companion.publish.pages import ideas
from companion.publish.project import html_name, launchers, tracked_files
from companion.publish.site import links


def check_site(built, pages, root, repository, launch=True):
    """What is wrong with the built site: missing pages, outside requests, dead links (`links`), launch links, menus, alt texts.

    `launch`: chapters carry buttons to Colab and Binder; in the edition without solutions nothing leads there.
    """
    from bs4 import BeautifulSoup

    problems = [f"the page {page} is missing" for page in pages if not (built / html_name(page)).is_file()]
    soups = {p: BeautifulSoup(p.read_text(encoding="utf-8"), "html.parser") for p in sorted(built.rglob("*.html"))}
    tracked = tracked_files(root)
    of_page = {html_name(page): page for page in pages}
    for path, soup in soups.items():
        name = path.relative_to(built).as_posix()
        problems += [f"{name}: {problem}" for problem in _outside_requests(soup)]
        problems += [f"{name}: {problem}" for problem in links.dead_inside(path, soup, soups, built)]
        page, check_links = of_page.get(name, ""), _launch_links if launch else _links_to_solutions
        problems += [f"{name}: {problem}" for problem in check_links(soup, repository, tracked)]
        if page.endswith(".ipynb"):
            problems += [f"{name}: {problem}" for problem in _downloads(soup, page)]
            if launch:
                problems += [f"{name}: {problem}" for problem in _launch_buttons(soup, repository, page)]
        for image in soup.select("article img"):
            alt = image.get("alt", "")
            if len(alt) < MIN_ALT or alt.endswith((".png", ".jpg", ".svg")):
                problems.append(f"{name}: the picture {Path(image['src']).name} has no alt text")
        for image in soup.select("article svg[role=img]"):
            if len(text := _text_for(image, soup)) < MIN_ALT:
                problems.append(f"{name}: the drawing {text!r} has no text that stands for it")
    problems += ideas.problems(root)
    problems += links.dead_styles(built)
    for path in built.rglob("*.css"):
        if re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", path.read_text(encoding="utf-8", errors="replace")):
            problems.append(f"{path.relative_to(built).as_posix()}: loads something from outside")
    return problems


def _outside_requests(soup):
    wanted = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}
    found = [tag[attribute] for name, attribute in wanted.items() for tag in soup.find_all(name, **{attribute: True})]
    for link in soup.find_all("link", href=True):
        if {"stylesheet", "icon", "preload", "manifest", "preconnect"} & set(link.get("rel", [])):
            found.append(link["href"])
    return [f"asks for {url}" for url in found if urlsplit(url).netloc]


def _launch_links(soup, repository, tracked):
    for place, prefix in launchers(repository).items():
        for link in soup.find_all("a", href=re.compile(re.escape("//" + urlsplit(prefix).netloc + "/"))):
            if not link["href"].startswith(prefix):
                yield f"the {place} link {link['href']} does not lead to {repository}"
            elif tracked is not None and link["href"].removeprefix(prefix) not in tracked:
                yield f"the {place} link leads to {link['href'].removeprefix(prefix)}, which is not a tracked file"


def _links_to_solutions(soup, repository, tracked):
    """Links out of the edition without solutions to notebooks that have them."""
    for link in soup.find_all("a", href=re.compile(r"^\w+://.*\.ipynb\b")):
        yield f"the link {link['href']} leads to a notebook that may hold solutions"


def _downloads(soup, page):
    """Whether the menu of downloads at the top offers a chapter's notebook and its text."""
    offered = {urlsplit(link["href"]).path for link in soup.select(".dropdown-download-buttons a[download][href]")}
    for suffix in (".ipynb", ".md"):
        file = "_sources/" + page.removesuffix(".ipynb") + suffix
        if not any(path.endswith(file) for path in offered):
            yield f"the menu at the top does not offer {file}"


def _launch_buttons(soup, repository, page):
    """Whether the rocket at the top of a chapter opens this chapter and no other."""
    buttons = {link["href"] for link in soup.select(".dropdown-launch-buttons a[href]")}
    for place, prefix in launchers(repository).items():
        if prefix + page not in buttons:
            yield f"no button opens {page} in {place}"
    for other in sorted(buttons - {prefix + page for prefix in launchers(repository).values()}):
        yield f"a button at the top opens {other}"


def _text_for(image, soup):
    """What a screen reader says of a drawing: its label, or the text of the elements that it names for it."""
    named = [soup.find(id=name) for name in image.get("aria-labelledby", "").split()]
    return image.get("aria-label", "") or " ".join(found.get_text(" ", strip=True) for found in named if found)
