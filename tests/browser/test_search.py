"""Search in a real browser: the words that students bring from lectures, what is shown for them, and how."""

import pytest
from books import ROOT
from student_words import STUDENT_WORDS
from visits import Visit

from companion.publish import project
from companion.publish.pages import keywords

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def found(browser, address):
    """What the search finds for a query: {"pages": [names], "terms": [...], "absent": [...]}, all asked in one visit."""
    visit = Visit(browser, f"{address}/search.html?q=dropout")
    known = [word for words in keywords.keywords(ROOT).values() for word in words]
    absent = [word for row in keywords.absent(ROOT) for word in row.words]
    asked = [*STUDENT_WORDS, *known, *absent, "mitochondria"]
    visit.page.wait_for_function("Search.hasIndex()")
    rows = visit.page.evaluate(
        """(queries) => Promise.all(queries.map((query) => companionSearch(query))).then((all) => all.map((found) => ({
          pages: found.pages.map(({page}) => page.page.replace("book/", "").replace(".html", "")),
          terms: found.terms.map(({term}) => term), absent: found.absent.map(({href}) => href)})))""",
        asked,
    )
    assert visit.outside == [] and visit.complaints == []
    visit.close()
    return dict(zip(asked, rows, strict=True))


def test_each_word_of_a_lecture_finds_its_page_among_the_first_two_of_all_that_is_shown(found):
    assert len(STUDENT_WORDS) >= 33
    shown = {
        word: [*(f"definition of {term}" for term in found[word]["terms"]), *found[word]["pages"]]
        for word in STUDENT_WORDS
    }
    assert {word: (page, shown[word][:3]) for word, page in STUDENT_WORDS.items() if page not in shown[word][:2]} == {}


def test_every_keyword_finds_its_page(found):
    known = [(word, page) for page, words in keywords.keywords(ROOT).items() for word in words]
    assert [(word, page) for word, page in known if page not in found[word]["pages"]] == []


def test_no_page_is_shown_twice_and_the_glossary_not_beside_its_definitions(found):
    for word, row in found.items():
        assert len(set(row["pages"])) == len(row["pages"]), word
        assert not row["terms"] or "glossary" not in row["pages"], word
    assert found["overfitting"]["terms"] == ["overfitting"] and found["CAM"]["terms"] == ["class activation mapping"]


def test_what_the_book_does_not_treat_is_said_and_leads_to_the_nearest_place(found):
    for row in keywords.absent(ROOT):
        page, _, section = row.page.partition("#")
        place = f"{project.html_name('book/' + page)}" + (f"#{section}" if section else "")
        assert all(found[word]["absent"] == [place] for word in row.words)
    assert found["transformer"]["pages"] == [], "no page about transformations"
    assert [word for word in STUDENT_WORDS if found[word]["absent"]] == []


@pytest.mark.parametrize("scheme", ["http", "file"])
@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("overfitting", r"^1 definition and \d+ pages found\.$"),
        ("transformer", "^$"),
        ("mitochondria", "^Nothing found"),
    ],
)
def test_the_results_are_counted_in_good_english_and_fit_a_phone(browser, address, html, scheme, query, count):
    start = address if scheme == "http" else html.as_uri()
    visit = Visit(browser, f"{start}/search.html?q={query}", width=390)
    visit.page.wait_for_selector(".search-summary[role=status]", state="attached")
    visit.page.wait_for_function(
        "pattern => new RegExp(pattern).test(document.querySelector('.search-summary').textContent)", arg=count
    )
    assert visit.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert visit.complaints == []
    if query == "transformer":
        note = visit.page.locator(".search-absent")
        assert "“transformer” is not treated in this book." in note.inner_text()
        assert note.locator("a").get_attribute("href").startswith("book/rnn-vs-cnn.html#")
    visit.close()


def test_a_definition_comes_first_and_an_excerpt_is_neither_toolbar_nor_code_nor_an_answer(browser, address):
    visit = Visit(browser, f"{address}/search.html?q=overfitting")
    items = visit.page.locator("#search-results li")
    items.first.wait_for()
    assert "(glossary):" in items.first.inner_text() and items.first.get_attribute("class") == "search-definition"
    excerpts = visit.page.locator(".search-excerpt").all_inner_texts()
    assert len(excerpts) >= 2 and visit.page.locator(".search-excerpt mark").count() >= 2
    for words in ("Open issue", ".ipynb", "nn.", "import ", "so well that new images are easier than known ones"):
        assert not [text for text in excerpts if words in text]
    visit.close()


@pytest.mark.parametrize("query", ["dropout", "gap", "seed", "convolution"])
def test_an_excerpt_holds_the_word_and_more_than_100_characters_and_no_row_of_a_table_runs_into_the_next(
    browser, address, query
):
    visit = Visit(browser, f"{address}/search.html?q={query}")
    visit.page.locator(".search-excerpt").first.wait_for()
    excerpts = visit.page.locator(".search-excerpt").all_inner_texts()
    shown = [text for text in excerpts if not text.startswith("In the code, a table or a list")]
    assert len(shown) >= 5 and [text for text in shown if not 100 < len(text) <= 400] == []
    assert [text for text in shown if query[:8] not in text.lower()] == []
    visit.close()
