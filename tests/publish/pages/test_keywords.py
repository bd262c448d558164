"""Words for the search: those that the pages do not use, and those for what the book does not treat."""

import re

import pytest
from books import ROOT
from reading import markdown, source
from student_words import STUDENT_WORDS

from companion.publish import UserError, project
from companion.publish.notebooks import chapters
from companion.publish.pages import keywords
from companion.publish.site import glossary_cards

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


@pytest.mark.parametrize(("words", "page"), STUDENT_WORDS.items())
def test_a_word_of_a_lecture_stands_on_its_page_in_its_keywords_or_in_a_definition_that_leads_there(words, page):
    glossary = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    leads = {}
    for term, forms in glossary_cards.other_forms(glossary).items():
        entry = re.search(rf"^{re.escape(term)}\n((?:  .*\n)+)", glossary, re.M)
        leads |= {form.lower(): re.search(r"See\s+\[[^\]]*\]\(([\w-]+)", entry[1])[1] for form in (term, *forms)}
    path = ROOT / "book" / f"{page}.md"
    text = " ".join(path.read_text(encoding="utf-8").lower().split())
    known = [word.lower() for word in keywords.keywords(ROOT).get(page, ())]
    plain = words.lower()
    together = all(word.removesuffix("s") in text for word in plain.split())
    assert together or plain in known or page in (leads.get(plain), leads.get(plain.removesuffix("s")))
