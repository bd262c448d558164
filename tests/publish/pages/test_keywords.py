"""Words for the search: those that the pages do not use, and those for what the book does not treat."""

import re

import pytest
from books import ROOT
from reading import markdown, source

from companion.publish import UserError, project
from companion.publish.notebooks import chapters
from companion.publish.pages import keywords

ROW = 'not in this book:\n- {words: [two words], says: "There."'


def test_bad_keywords_are_refused(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/index\n")
    assert keywords.keywords(tmp_path) == {} and keywords.absent(tmp_path) == []
    path = tmp_path / "book" / "keywords.yml"
    path.write_text(f"index: [batch norm, p-value]\n{ROW}, page: index#top}}\n")
    assert keywords.keywords(tmp_path) == {"index": ["batch norm", "p-value"]}
    assert keywords.absent(tmp_path) == [keywords.Absent(("two words",), "There.", "index#top")]
    for text, words in (
        ('index: ["two, words"]', "index needs a list of words"),
        ("index: word", "index needs a list"),
        ("other: [word]", "the book has no page 'other'"),
        ("- [", "cannot be read"),
        ("- word", "needs a list"),
        (ROW + ", page: other}", "the book has no page 'other'"),
        (ROW + "}", "the book has no page None"),
        ("not in this book: [{words: [one]}]", "needs `words"),
        ("not in this book: [one]", "needs `words"),
    ):
        path.write_text(text)
        with pytest.raises(UserError, match=words):
            keywords.keywords(tmp_path)
            keywords.absent(tmp_path)


def test_what_is_said_not_to_be_in_the_book_has_neither_a_heading_nor_an_entry_of_the_glossary():
    glossary = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    titles = re.findall(r"^(?!%)(\w[^\n]*)\n  \S", glossary, re.M)
    for page in project.toc_pages(ROOT):
        name = chapters.name_of(page)
        text = markdown(source(name)) if page.endswith(".ipynb") else (ROOT / f"{page}.md").read_text(encoding="utf-8")
        titles += re.findall(r"^#+ (.+)$", text, re.M)
    treated = "\n".join(titles).lower()
    words = [word for row in keywords.absent(ROOT) for word in row.words]
    assert len(words) > 20 and len(titles) > 100
    assert [word for word in words if re.search(rf"\b{re.escape(word.lower())}\b", treated)] == []
