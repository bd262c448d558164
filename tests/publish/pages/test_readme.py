"""What README derives: its list of chapters and its counts."""

import shutil

import pytest

from companion.evidence.ledger import load_claims
from companion.publish import UserError, project
from companion.publish.notebooks import chapters
from companion.publish.pages import readme

ROOT = project.project_root(__file__ + "/..")


@pytest.fixture
def book(tmp_path):
    (tmp_path / "book").mkdir()
    for name in ("_toc.yml", "_config.yml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    for name in chapters.chapter_names(ROOT):
        (tmp_path / "book" / f"{name}.md").write_text(f"---\n# a comment\n---\n\n# Title of {name}\n")
    return tmp_path


def test_readme_is_up_to_date():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.up_to_date(ROOT, text) == text, "README.md is out of date: run `make refresh`"


def test_readme_lists_every_chapter_once_in_the_order_of_the_contents():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    start = project.colab_address(project.repository(ROOT))
    linked = [line.partition(start)[2].removesuffix(".ipynb)") for line in text.splitlines() if start in line]
    assert linked == chapters.chapter_names(ROOT)


def test_refreshing_takes_titles_and_order_from_the_book_and_is_done_once(book):
    assert readme.refresh(book)
    assert not readme.refresh(book)
    text = (book / "README.md").read_text(encoding="utf-8")
    assert "- [Title of depth](" in text and f"<!-- claims -->{len(load_claims())}<!--" in text
    toc = (book / "_toc.yml").read_text()
    (book / "_toc.yml").write_text(toc.replace("      - file: book/depth.ipynb\n", ""))
    assert readme.refresh(book)
    assert "Title of depth" not in (book / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("mark", ["<!-- chapters -->", "<!-- end of claims -->"])
def test_a_readme_without_its_marks_is_a_sentence_and_stays_as_it_is(book, mark):
    path = book / "README.md"
    path.write_text(path.read_text(encoding="utf-8").replace(mark, ""), encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"README\.md needs exactly one"):
        readme.refresh(book)
    assert path.read_bytes() == before
