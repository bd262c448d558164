"""The public addresses: `companion set-repository` puts them wherever they stand, in all files or in none."""

import os
import shutil

import pytest
from tiny_book import TINY, make_tiny_book

from companion.publish import UserError, project
from companion.publish.install import repository
from companion.publish.notebooks import chapters, pairs

URL = "https://github.com/ana/deep-book"
LINK = "\n[Colab](https://colab.research.google.com/github/OWNER/companion/blob/main/book/tiny.ipynb)\n"
BINDER = "\n[Binder](https://mybinder.org/v2/gh/OWNER/companion/main?urlpath=tree/book/tiny.ipynb)\n"
CELL = "\n```{code-cell} ipython3\nurl = 'git+https://github.com/OWNER/companion'\n```\n"


@pytest.fixture
def book(tmp_path):
    """A book whose chapter names the repository in a cell and in links; its pair holds outputs of the present code."""
    root = make_tiny_book(tmp_path / "a book é")
    (root / "book" / "tiny.md").write_text(TINY + LINK + BINDER + CELL, encoding="utf-8")
    (root / "README.md").write_text(
        "see https://github.com/OWNER/companion-data and https://github.com/OWNER/companion."
    )
    return root


@pytest.mark.slow
def test_the_public_address_is_rewritten_wherever_it_stands_and_outputs_stay_fresh(book):
    pairs.refresh(book, "tiny")
    changed = repository.set_repository(book, URL + ".git")
    assert {path.as_posix() for path in changed} == {"_config.yml", "README.md", "book/tiny.md", "book/tiny.ipynb"}
    assert project.repository(book) == URL
    source = (book / "book" / "tiny.md").read_text(encoding="utf-8")
    assert f"git+{URL}'" in source and "google.com/github/ana/deep-book/blob" in source
    assert "mybinder.org/v2/gh/ana/deep-book/main" in source and "OWNER" not in source
    assert "OWNER/companion-data" in (book / "README.md").read_text()
    assert not pairs.stale(book, "tiny")
    assert repository.set_repository(book, URL) == [], "a second time there is nothing to do"


@pytest.mark.slow
def test_outputs_that_were_stale_stay_stale(book):
    pairs.refresh(book, "tiny")
    source = book / "book" / "tiny.md"
    source.write_text(source.read_text(encoding="utf-8").replace("after the record", "changed"), encoding="utf-8")
    repository.set_repository(book, URL)
    assert pairs.stale(book, "tiny")


@pytest.mark.parametrize("damage", ["a damaged notebook", "conflict markers in a page", "a disk that refuses"])
def test_where_one_file_cannot_be_changed_none_is(book, damage, monkeypatch):
    if damage == "a damaged notebook":
        (book / "book" / "tiny.ipynb").write_text("<<<<<<< https://github.com/OWNER/companion\n")
    elif damage == "conflict markers in a page":
        (book / "book" / "tiny.md").write_text("<<<<<<< HEAD\n" + TINY)
    else:
        replace = os.replace

        def refuse(part, path):
            if str(path).endswith("tiny.md"):
                raise PermissionError(13, "Permission denied", str(path))
            replace(part, path)

        monkeypatch.setattr(os, "replace", refuse)
    before = {path: path.read_bytes() for path in book.rglob("*") if path.is_file()}
    with pytest.raises((UserError, PermissionError)):
        repository.set_repository(book, URL)
    assert {path: path.read_bytes() for path in book.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("url", ["git@github.com:ana/book", "https://github.com/a/..", "https://github.com/a/."])
def test_a_wrong_address_is_refused(book, url):
    with pytest.raises(UserError, match="looks like"):
        repository.set_repository(book, url)


def test_the_sites_address_has_one_line(book):
    shutil.copy(project.project_root(__file__ + "/..") / "_config.yml", book)
    repository.set_site(book, "https://ana.github.io/deep-book")
    assert project.site_address(book) == "https://ana.github.io/deep-book/"
    (book / "_config.yml").write_text("title: x\n")
    with pytest.raises(UserError, match="exactly one line"):
        repository.set_site(book, "https://ana.github.io/deep-book")


def test_the_chapters_are_found_before_their_notebooks_are_made(book):
    assert repository.set_repository(book, URL) and chapters.chapter_names(book) == ["tiny"]
