"""Refuses what the tools let pass in silence: in executed notebooks, in committed pairs, and in the built site.

Every check returns a list of sentences; an empty list means that all is well.
"""

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from companion.build import chapters, links

MACHINE_PATH = re.compile(r"(?<![\w/.])(/(home|root|tmp|work|Users|private|var|opt)/\w|[A-Za-z]:\\Users\\)")
MIN_ALT = 20  # characters: enough for a sentence, too long for a file name


def check_executed(notebook, name):
    """What is wrong with a notebook that was executed."""
    problems, number = [], 0
    for index, cell in enumerate(notebook.cells):
        if "papermill-error-cell-tag" in chapters.tags(cell):
            problems.append(f"{name}: cell {index} is papermill's error banner")
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        number += 1
        where = f"{name}: code cell {number}"
        if cell.execution_count is None:
            problems.append(f"{where} was not executed")
        elif cell.execution_count != number:
            problems.append(f"{where} was executed as number {cell.execution_count}, not in order from top to bottom")
        for output in cell.outputs:
            problems += [f"{where} {problem}" for problem in _check_output(output, cell)]
    if number == 0:
        problems.append(f"{name}: has no code cell")
    return problems


def _check_output(output, cell):
    if output.output_type == "error":
        yield f"ended with {output.ename}: {output.evalue}"
    if output.get("name") == "stderr":
        yield f"wrote to stderr: {output.text.strip()[:80]!r}"
    data = output.get("data", {})
    if any("widget" in mime for mime in data):
        yield "shows a widget, which is dead on the page"
    texts = [output.get("text", ""), *(value for mime, value in data.items() if mime.startswith("text/"))]
    for text in texts:
        if found := MACHINE_PATH.search(text if isinstance(text, str) else "".join(text)):
            yield f"shows a path of the machine: {found.group()}…"
    if any(mime.startswith("image/") for mime in data):
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if len(alt) < MIN_ALT:
            yield "draws a figure without alt text (cell metadata mystnb: image: alt)"


def check_parameters(notebook, name, defaults):
    """Whether papermill injected only parameters that the chapter has."""
    problems = []
    for cell in chapters.code_cells(notebook):
        if "injected-parameters" in chapters.tags(cell):
            names = re.findall(r"^(\w+) =", cell.source, re.M)
            problems += [f"{name}: unknown parameter {unknown!r}" for unknown in sorted(set(names) - set(defaults))]
    return problems


def check_pair(root, chapter):
    """Whether the committed notebook is the Markdown's pair, was executed in order, and is not stale."""
    import nbformat

    path = chapters.pair_path(root, chapter)
    if not path.is_file():
        return [f"{chapter}.ipynb is missing: run `make refresh`"]
    source, pair = chapters.read_source(root, chapter), nbformat.read(path, as_version=4)
    if [_content(cell) for cell in source.cells] != [_content(cell) for cell in pair.cells]:
        return [
            f"{chapter}.ipynb differs from {chapter}.md: run `make refresh` (or `jupytext --sync` to take an edited notebook)"
        ]
    problems = check_executed(pair, chapter)
    if pair.metadata.get("companion", {}).get("hash") != chapters.code_hash(source):
        problems.append(
            f"{chapter}.ipynb shows outputs of other code, parameters or package sources: run `make refresh`"
        )
    return problems


def _content(cell):
    return cell.cell_type, cell.source.strip(), {k: v for k, v in cell.metadata.items() if v != []}


# -------------------------------------------------------------------------------------------------------- the site


def check_site(html, pages, root, repository, launch=True):
    """What is wrong with the built site: missing pages, outside requests, dead links (`links`), launch links, alt texts.

    `launch`: chapters carry buttons to Colab and Binder; those of the edition without solutions do not.
    """
    from bs4 import BeautifulSoup

    problems = [f"the page {page} is missing" for page in pages if not (html / _html_name(page)).is_file()]
    soups = {p: BeautifulSoup(p.read_text(encoding="utf-8"), "html.parser") for p in sorted(html.rglob("*.html"))}
    tracked = tracked_files(root)
    of_page = {_html_name(page): page for page in pages}
    for path, soup in soups.items():
        name = path.relative_to(html).as_posix()
        problems += [f"{name}: {problem}" for problem in _outside_requests(soup)]
        problems += [f"{name}: {problem}" for problem in links.dead_inside(path, soup, soups, html)]
        problems += [f"{name}: {problem}" for problem in _launch_links(soup, repository, tracked)]
        if launch:
            problems += [f"{name}: {problem}" for problem in _launch_buttons(soup, repository, of_page.get(name, ""))]
        for image in soup.select("article img"):
            alt = image.get("alt", "")
            if len(alt) < MIN_ALT or alt.endswith((".png", ".jpg", ".svg")):
                problems.append(f"{name}: the picture {Path(image['src']).name} has no alt text")
    problems += links.dead_styles(html)
    for path in html.rglob("*.css"):
        if re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", path.read_text(encoding="utf-8", errors="replace")):
            problems.append(f"{path.relative_to(html).as_posix()}: loads something from outside")
    return problems


def _html_name(page):
    return str(Path(page).with_suffix("")) + ".html"


def _outside_requests(soup):
    wanted = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}
    found = [tag[attribute] for name, attribute in wanted.items() for tag in soup.find_all(name, **{attribute: True})]
    for link in soup.find_all("link", href=True):
        if {"stylesheet", "icon", "preload", "manifest", "preconnect"} & set(link.get("rel", [])):
            found.append(link["href"])
    return [f"asks for {url}" for url in found if urlsplit(url).netloc]


def launchers(repository):
    """{name: how the links that open a notebook of this repository there begin}."""
    own = repository.removeprefix("https://github.com/")
    return {
        "Colab": f"https://colab.research.google.com/github/{own}/blob/main/",
        "Binder": f"https://mybinder.org/v2/gh/{own}/main?urlpath=tree/",
    }


def _launch_links(soup, repository, tracked):
    for place, prefix in launchers(repository).items():
        for link in soup.find_all("a", href=re.compile(re.escape("//" + urlsplit(prefix).netloc + "/"))):
            if not link["href"].startswith(prefix):
                yield f"the {place} link {link['href']} does not lead to {repository}"
            elif tracked is not None and link["href"].removeprefix(prefix) not in tracked:
                yield f"the {place} link leads to {link['href'].removeprefix(prefix)}, which is not a tracked file"


def _launch_buttons(soup, repository, page):
    """Whether the rocket at the top of a chapter opens this chapter and no other."""
    if page.endswith(".ipynb"):
        buttons = {link["href"] for link in soup.select(".dropdown-launch-buttons a[href]")}
        for place, prefix in launchers(repository).items():
            if prefix + page not in buttons:
                yield f"no button opens {page} in {place}"
        for other in sorted(buttons - {prefix + page for prefix in launchers(repository).values()}):
            yield f"a button at the top opens {other}"


def tracked_files(root):
    """The files that git tracks or would add, as a set of paths; None outside git."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        return set(
            subprocess.run(
                command, cwd=root, capture_output=True, text=True, encoding="utf-8", check=True
            ).stdout.split("\0")
        )
    except (OSError, subprocess.CalledProcessError):
        return None
