"""The form of a chapter in a real browser: head, guesses and covers, folds, pictures of ideas; by keyboard, finger and printer."""

import re

import pytest
from axe import AXE, CODE, PLAIN, SHOW, THEMES, axe_core
from bs4 import BeautifulSoup
from tiny_book import FORMED_NAME, make_formed_book
from visits import Visit, served

from companion.publish.carry import pdf
from companion.publish.notebooks import chapters
from companion.publish.pages import handout
from companion.publish.site import building

pytestmark = [pytest.mark.slow, pytest.mark.browser]
NAME = f"book/{FORMED_NAME}.html"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A book of one chapter that has every part of the form, built."""
    root = make_formed_book(tmp_path_factory.mktemp("formed"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("companion.publish.site.page_checks.tracked_files", lambda root: None)
        building.build_site(root)
    return root


@pytest.fixture(scope="module")
def formed(root):
    with served(root / "_build" / "html") as address:
        yield address


@pytest.fixture
def visit(browser, formed):
    visit = Visit(browser, f"{formed}/{NAME}")
    yield visit
    assert visit.complaints == [] and visit.outside == []
    visit.close()


def test_an_answer_is_covered_until_a_guess_is_typed_and_stands_beside_the_result(visit):
    page = visit.page
    answer = page.get_by_text("sum: 6")
    assert not answer.is_visible() and page.get_by_text("This answers question 1.").is_visible()
    before = page.locator("#the-product").bounding_box()["y"] + page.evaluate("scrollY")
    page.get_by_label("Guess 1").focus()
    page.keyboard.type("about six")
    page.keyboard.press("Enter")
    assert answer.is_visible() and page.locator(".guess-beside").inner_text() == "Your guess to question 1: about six"
    assert page.evaluate("document.activeElement.textContent") == "See what came out", "the keyboard goes on from here"
    assert not page.get_by_text("it is the same: six").is_visible(), "the other question is still open"
    after = page.locator("#the-product").bounding_box()["y"] + page.evaluate("scrollY")
    assert abs(after - before) < 80, "what stands below hardly moves"


def test_an_empty_guess_is_asked_for_again(visit):
    visit.page.get_by_label("Guess 1").press("Enter")
    assert visit.page.get_by_text("Write a guess first; a word is enough.").is_visible()
    assert not visit.page.get_by_text("sum: 6").is_visible()


def test_every_part_is_reached_by_the_tab_key_and_a_cover_opens_by_it(visit):
    page = visit.page
    page.get_by_label("Guess 1").focus()
    order = []
    for _ in range(9):
        order.append(page.evaluate("(document.activeElement.textContent || document.activeElement.id).trim()"))
        page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    order.remove("Copy to clipboard")  # the button of the code between the questions and the first answer
    guess = ["Keep my guess", "Show without guessing"]
    assert order == ["guess-1", *guess, "guess-2", *guess, "Guess first", "Show without guessing"]
    page.keyboard.press("Enter")
    assert page.get_by_text("sum: 6").is_visible()
    assert page.evaluate("document.activeElement.parentElement.className") == "guess-place", "the focus is not lost"
    assert page.locator(".guess").first.inner_text().startswith("Shown without a guess.")


def test_a_guess_is_kept_for_the_next_visit_and_can_be_forgotten(browser, formed):
    context = browser.new_context()
    first = Visit(browser, f"{formed}/{NAME}", context=context)
    first.page.get_by_label("Guess 2").fill("<b>the same</b>")
    first.page.get_by_label("Guess 2").press("Enter")
    first.close()
    second = Visit(browser, f"{formed}/{NAME}", context=context)
    assert second.page.get_by_text("it is the same: six").is_visible()
    assert second.page.locator(".guess-beside").inner_text() == "Your guess to question 2: <b>the same</b>"
    second.page.get_by_role("button", name="Forget my guesses").click()
    assert not second.page.get_by_text("it is the same: six").is_visible()
    assert second.page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('guess'))") == []
    assert not second.page.locator(".guess-forget").is_visible()
    assert second.page.evaluate("document.activeElement.id") == "guess-1"
    second.close()
    context.close()


def test_where_the_browser_keeps_nothing_a_guess_lasts_as_long_as_the_page(browser, formed):
    context = browser.new_context()
    context.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no'); }})")
    visit = Visit(browser, f"{formed}/{NAME}", context=context)
    visit.page.get_by_label("Guess 1").fill("six")
    visit.page.get_by_label("Guess 1").press("Enter")
    assert visit.page.locator(".guess-beside").inner_text().endswith("six")
    assert [line for line in visit.complaints if "guesses.js" in line] == []
    visit.close()
    context.close()


def test_a_finger_opens_a_cover_and_a_solution_on_a_phone(browser, formed):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{formed}/{NAME}")
    page.locator(".guess-cover button").first.tap()
    assert page.get_by_text("sum: 6").is_visible()
    page.locator("details.solution > summary").tap()
    assert page.get_by_text("counted again: 3").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    small = page.eval_on_selector_all(
        "article :is(button, input, summary, .guess a, .guess-cover a)",
        "all => all.map(e => e.getBoundingClientRect().height)",
    )
    assert min(height for height in small if height) >= 20
    columns = page.evaluate(
        "[...document.querySelectorAll('.chapter-head :is(dt, dd)')].map(e => e.getBoundingClientRect().x)"
    )
    assert len(set(columns)) == 1, "the head is stacked"
    context.close()


def test_a_link_into_a_covered_cell_and_into_a_fold_opens_it(browser, formed):
    visit = Visit(browser, f"{formed}/{NAME}#further")
    assert visit.page.get_by_text("A place to link to.").is_visible()
    visit.page.evaluate("document.querySelector('details.solution pre').id = 'inside'; location.hash = 'inside'")
    visit.page.wait_for_function("document.querySelector('details.solution').open")
    visit.close()


def test_without_scripts_everything_is_open_and_no_box_asks(browser, formed):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{formed}/{NAME}")
    assert page.get_by_text("sum: 6").is_visible() and page.get_by_text("it is the same: six").is_visible()
    assert page.locator(".guess, .guess-cover").count() == 0
    context.close()


def test_on_paper_everything_is_open_and_nothing_asks(visit):
    page = visit.page
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    for words in ("sum: 6", "it is the same: six", "counted again: 3", "Look around.", "as the formula says: True"):
        assert page.get_by_text(words).is_visible(), words
    assert not page.locator(".guess form, .guess-cover, .guess-forget").locator("visible=true").count()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("main details[open]").count() == 0


def test_a_solution_of_several_cells_opens_as_one(visit):
    page = visit.page
    assert page.locator("details.solution").count() == 1 and not page.get_by_text("counted: 3").is_visible()
    page.locator("details.solution > summary").focus()
    page.keyboard.press("Enter")
    for words in ("of them, see below", "counted: 3", "counted again: 3"):
        assert page.get_by_text(words).is_visible(), words
    assert "@title" not in page.locator("article").inner_text()
    assert page.locator("details.hide > summary").all_inner_texts() == [
        "Set-up, for Colab",
        "Check: the sum is that of the formula",
        "The sign of a product {two}",
    ]


def test_a_picture_of_an_idea_takes_the_colours_of_the_theme(visit):
    colours = []
    for theme in THEMES:
        visit.page.evaluate(SHOW, theme)
        colours.append(visit.page.evaluate("getComputedStyle(document.querySelector('svg.idea rect')).fill"))
    assert colours[0] == "rgb(255, 255, 255)" != colours[1]
    faces = visit.page.evaluate(
        "['svg.idea text', 'article'].map(e => getComputedStyle(document.querySelector(e)).fontFamily)"
    )
    assert faces[0] == faces[1], "the letters are those of the page"
    box = visit.page.locator("svg.idea").bounding_box()
    assert box["width"] / box["height"] == pytest.approx(380 / 120, rel=0.01)


@pytest.mark.parametrize("opened", [False, True], ids=["covered", "answered"])
def test_axe_finds_nothing_on_a_page_with_everything(browser, formed, opened):
    context = browser.new_context(reduced_motion="reduce")
    visit = Visit(browser, f"{formed}/{NAME}", context=context)
    page, found = visit.page, []
    if opened:
        for number in (1, 2):
            page.get_by_label(f"Guess {number}").fill("six")
            page.get_by_label(f"Guess {number}").press("Enter")
    page.evaluate(axe_core())
    for theme in THEMES:
        page.evaluate(SHOW, theme)
        found += page.evaluate(CODE)
    page.evaluate(PLAIN)
    for width in (1280, 390):
        for theme in THEMES:
            visit.look(width, theme)
            page.evaluate(SHOW, theme)
            found += [f"{width}, {theme}: {line}" for line in page.evaluate(AXE, False)]
    assert not found, "\n".join(map(str, found))
    context.close()


# -------------------------------------------------------------------------------------------------- paper, and the other edition


def test_the_document_for_paper_has_the_solution_open_and_named_checks(root):
    soup = BeautifulSoup(pdf.merge(root, root / "_build" / "html"), "html.parser")
    chapter = soup.find(id=FORMED_NAME)
    labels = [label.get_text() for label in chapter.select(".unfolded-label")]
    assert labels.count("Solution") == 1 and "Check: the sum is that of the formula" in labels
    assert not chapter.select("details, script") and "find_spec" not in chapter.get_text()
    assert chapter.select_one("svg.idea title")["id"] == f"{FORMED_NAME}--boxes-title"
    assert len(chapter.select(".chapter-head dt")) == 5


def test_the_edition_without_solutions_has_hints_guesses_and_no_solution(root, browser):
    notebook = handout.without_solutions(chapters.read_source(root, FORMED_NAME), FORMED_NAME)
    text = "\n".join(cell.source for cell in notebook.cells)
    assert "Look around." in text and "counted again" not in text and not re.search("<summary>Solution", text)
