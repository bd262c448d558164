"""Words for the search: those that the pages do not use, and those that a student types."""

import pytest
from books import ROOT
from visits import Visit

from companion.publish import UserError
from companion.publish.pages import keywords


def test_bad_keywords_are_refused(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/index\n")
    assert keywords.keywords(tmp_path) == {}
    path = tmp_path / "book" / "keywords.yml"
    for text, words in (
        ("index: [two words]", "index needs a list of single words"),
        ("index: word", "index needs a list"),
        ("other: [word]", "the book has no page 'other'"),
        ("- [", "cannot be read"),
        ("- word", "needs a list"),
    ):
        path.write_text(text)
        with pytest.raises(UserError, match=words):
            keywords.keywords(tmp_path)


STUDENT_WORDS = {  # what a student types: a page that answers; the words of a chapter stand in tests/chapters
    "significance": "evidence",
    "errata": "errata",
    "mistakes": "errata",
    "license": "index",
    "install": "index",
}


@pytest.mark.slow
@pytest.mark.browser
def test_the_search_finds_the_words_that_a_student_types(browser, address):
    known = [(word, page) for page, words in keywords.keywords(ROOT).items() for word in words]
    wanted = [*STUDENT_WORDS.items(), *known]
    visit = Visit(browser, f"{address}/search.html")
    visit.page.wait_for_function("Search.hasIndex()")
    found = visit.page.evaluate(
        "queries => queries.map(query => Search._performSearch(...Search._parseQuery(query)).map(result => result[0]))",
        [words for words, _ in wanted],
    )
    missing = [pair for pair, pages in zip(wanted, found, strict=True) if f"book/{pair[1]}" not in pages]
    assert missing == []
    visit.close()
