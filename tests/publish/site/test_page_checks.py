"""Every check of the gate refuses a page that is bad in just that way, and passes the good one."""

import pytest

from companion.publish.site import page_checks

REPOSITORY = "https://github.com/OWNER/companion"
COLAB = "https://colab.research.google.com/github/OWNER/companion/blob/main/"
BINDER = "https://mybinder.org/v2/gh/OWNER/companion/main?urlpath=tree/"


DOWNLOADS = '<p class="dropdown-download-buttons">{}</p>'.format(
    "".join(f'<a download href="../_sources/book/a.{suffix}">{suffix}</a>' for suffix in ("ipynb", "md"))
)


def check_page(tmp_path, body, head="", pages=("book/a",), **options):
    (tmp_path / "html" / "book").mkdir(parents=True, exist_ok=True)
    page = f'<html><head>{head}</head><body><article><h1 id="top">A</h1>{body}</article></body></html>'
    (tmp_path / "html" / "book" / "a.html").write_text(page)
    (tmp_path / "html" / "book" / "x.png").touch()
    (tmp_path / "html" / "_sources" / "book").mkdir(parents=True, exist_ok=True)
    for suffix in ("ipynb", "md"):
        (tmp_path / "html" / "_sources" / "book" / f"a.{suffix}").touch()
    return page_checks.check_site(tmp_path / "html", pages, tmp_path, REPOSITORY, **options)


def test_a_good_page_passes(tmp_path, monkeypatch):
    monkeypatch.setattr("companion.publish.site.page_checks.tracked_files", lambda root: {"book/a.ipynb"})
    links = f'<a href="#top">up</a> <a href="https://example.org">out</a> <a href="{COLAB}book/a.ipynb">run</a>'
    assert check_page(tmp_path, links + '<img src="x.png" alt="A line that rises from left to right.">') == []


@pytest.mark.parametrize(
    ("body", "head", "words"),
    [
        ('<img src="https://example.org/x.png" alt="A line that rises from left to right.">', "", "asks for"),
        ("", '<script src="//cdn.example.org/x.js"></script>', "asks for"),
        ("", '<link rel="stylesheet" href="https://example.org/x.css">', "asks for"),
        ('<a href="b.html">b</a>', "", "leads nowhere"),
        ('<a href="#nowhere">b</a>', "", "names no place"),
        ('<img src="x.png" alt="../_images/x.png">', "", "no alt text"),
        ('<img src="x.png">', "", "no alt text"),
        (f'<a href="{COLAB}book/b.ipynb">run</a>', "", "not a tracked file"),
        (f'<a href="{BINDER}book/b.ipynb">run</a>', "", "not a tracked file"),
        ('<a href="https://mybinder.org/v2/gh/else/where/main?urlpath=tree/a.ipynb">run</a>', "", "does not lead to"),
        (f'<a href="{BINDER.replace("main", "master")}book/a.ipynb">run</a>', "", "does not lead to"),
        (
            '<a href="https://colab.research.google.com/github/else/where/blob/main/a.ipynb">run</a>',
            "",
            "does not lead to",
        ),
    ],
)
def test_a_bad_page_is_refused(tmp_path, monkeypatch, body, head, words):
    monkeypatch.setattr("companion.publish.site.page_checks.tracked_files", lambda root: {"book/a.ipynb"})
    assert any(words in problem for problem in check_page(tmp_path, body, head))


@pytest.mark.parametrize(
    ("buttons", "words"),
    [
        (f'<a href="{COLAB}book/a.ipynb"></a><a href="{BINDER}book/a.ipynb"></a>', None),
        (f'<a href="{COLAB}book/a.ipynb"></a>', "no button opens book/a.ipynb in Binder"),
        (f'<a href="{COLAB}book/b.ipynb"></a><a href="{BINDER}book/a.ipynb"></a>', "opens book/a.ipynb in Colab"),
        (f'<a href="{COLAB}book/b.ipynb"></a><a href="{BINDER}book/a.ipynb"></a>', "a button at the top opens https"),
    ],
)
def test_a_chapter_whose_buttons_open_something_else_is_refused(tmp_path, monkeypatch, buttons, words):
    monkeypatch.setattr(
        "companion.publish.site.page_checks.tracked_files", lambda root: {"book/a.ipynb", "book/b.ipynb"}
    )
    body = f'<div class="dropdown-launch-buttons">{buttons}</div>{DOWNLOADS}'
    problems = check_page(tmp_path, body, pages=("book/a.ipynb",))
    assert any(words in problem for problem in problems) if words else problems == []


@pytest.mark.parametrize("lost", ["a.md", "a.ipynb", " download", "dropdown-download-buttons"])
def test_a_chapter_that_does_not_offer_its_notebook_and_its_text_is_refused(tmp_path, lost):
    def check(menu):
        return check_page(tmp_path, menu, pages=("book/a.ipynb",), launch=False)

    assert check(DOWNLOADS) == []
    problems = [problem for problem in check(DOWNLOADS.replace(lost, "")) if "leads nowhere" not in problem]
    assert problems and all("menu at the top does not offer _sources/book/a." in problem for problem in problems)


@pytest.mark.parametrize(
    "address", [f"{COLAB}book/a.ipynb", f"{BINDER}book/a.ipynb#part", f"{REPOSITORY}/blob/main/a.ipynb"]
)
def test_a_link_out_of_the_edition_without_solutions_to_a_notebook_is_refused(tmp_path, address):
    problems = check_page(tmp_path, f'<a href="{address}">run</a>', launch=False)
    assert problems == [f"book/a.html: the link {address} leads to a notebook that may hold solutions"]


def test_a_missing_page_is_refused(tmp_path):
    assert "the page book/b is missing" in check_page(tmp_path, "", pages=("book/a", "book/b"))


def test_a_style_sheet_that_loads_from_outside_is_refused(tmp_path):
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "x.css").write_text("@import url('https://example.org/font.css');")
    assert any("x.css: loads something from outside" in problem for problem in check_page(tmp_path, ""))
