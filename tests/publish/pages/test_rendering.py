"""The templates: what is put in is escaped, what is missing is an error, and a wheel has all of them."""

import copy
import tomllib

import jinja2
import pytest
from books import ROOT
from reading import soup

from companion import load_claims
from companion.evidence.verdicts import Verdict
from companion.publish import project
from companion.publish.notebooks.chapters import title_of
from companion.publish.pages import bibliography, errata, front, ledger
from companion.publish.pages.rendering import render


def test_a_name_that_a_template_asks_for_in_vain_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="works"):
        render("bibliography", titles={})


def test_a_title_is_its_first_line_without_the_mark_of_a_heading_and_with_its_own_signs(written):
    notebook = copy.deepcopy(written["dropout"])
    for source, title in {
        "# Depth\n\nText # here.": "Depth",
        "# # and $ in names": "# and $ in names",
        "#  C#, #5 ": "C#, #5",
    }.items():
        notebook.cells[0].source = source
        assert title_of(notebook) == title


def test_a_title_with_signs_of_html_reads_as_written_on_every_page_that_shows_it(written):
    title = 'Is <b> a & b\'s "tag"?'
    chapters = copy.deepcopy(written)
    chapters["dropout"].cells[0].source = f"# {title}"
    chapters["dropout"].metadata["companion"]["seconds"] = 1
    chapters = {"dropout": chapters["dropout"]}
    wrong = {id: Verdict(id, "differs", 1, "so", 2) for id, c in load_claims("dropout").items() if c.kind == "metric"}
    pages = (
        front.chapters_html(ROOT, wrong, chapters),
        ledger.ledger_html(wrong, chapters),
        errata.findings_html(wrong, chapters, ("metric",)),
        bibliography.bibliography_html(ROOT / "book" / "references.bib", chapters),
    )
    for html in pages:
        page = soup(html)
        assert {link.text for link in page.find_all("a", href=lambda a: a.startswith("dropout.html"))} == {title}
        assert page.find("b", class_=False) is None


def test_a_wheel_has_every_file_that_the_package_reads():
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = patterns["tool"]["setuptools"]["package-data"]
    shipped = {
        path
        for package, some in patterns.items()
        for p in some
        for path in folder_of(package).glob(p)
        if path.is_file()
    }
    there = {
        path
        for path in project.PACKAGE.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc", ".part", ".lock")
    }
    assert {path for path in there if path.suffix == ".html"} <= shipped
    assert sorted(path.relative_to(project.PACKAGE).as_posix() for path in there - shipped) == []


def folder_of(package):
    return project.PACKAGE.parent.joinpath(*package.split("."))
