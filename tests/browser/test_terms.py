"""The cards of glossary words in a real browser: mouse, keyboard and touch, without moving anything, and without a script."""

import pytest
from axe import AXE, THEMES, axe_core
from books import PAGES
from visits import PATIENCE, Visit

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PAGE = "book/dropout.html"
SIZE = "[document.documentElement.scrollHeight, document.documentElement.scrollWidth]"


@pytest.fixture
def visit(browser, address):
    visit = Visit(browser, f"{address}/{PAGE}")
    yield visit
    assert visit.complaints == [] and visit.outside == []
    visit.close()


def shown(page):
    return page.locator("article .term-card")


def test_each_word_is_a_link_once_on_every_page_and_never_in_a_heading_or_in_code(browser, address):
    context = browser.new_context()
    for name in PAGES:
        visit = Visit(browser, f"{address}/{name}", context=context)
        words = visit.page.eval_on_selector_all("a.term", "all => all.map((a) => a.getAttribute('aria-describedby'))")
        assert len(set(words)) == len(words), name
        assert visit.page.locator(":is(h1, h2, h3, h4, pre, code, summary, a, button, table) a.term").count() == 0, name
        visit.close()
    context.close()


def test_a_mouse_that_rests_on_a_word_shows_the_card_which_stays_under_the_mouse_and_moves_nothing(visit):
    page = visit.page
    before = page.evaluate(SIZE)
    word = page.locator("a.term", has_text="validation").first
    word.hover()
    card = shown(page)
    card.wait_for()
    assert "Images that training never uses" in card.inner_text() and page.evaluate(SIZE) == pytest.approx(
        before, abs=1
    )
    card.get_by_text("Glossary").hover()
    page.wait_for_timeout(600)
    assert card.is_visible()
    page.mouse.move(2, 2)
    card.wait_for(state="detached")


def test_the_keyboard_shows_the_card_reaches_its_links_and_closes_it(visit):
    page = visit.page
    word = page.locator("a.term").first
    word.focus()
    card = shown(page)
    card.wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.term-card') !== null")
    page.keyboard.press("Escape")
    card.wait_for(state="detached")
    assert word.evaluate("e => e === document.activeElement"), "the focus goes back to the word"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.term-card') === null")
    word.evaluate("e => { e.blur(); e.focus(); }")
    card.wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/glossary.html#term-*")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_first_tap_shows_the_card_the_second_follows_the_link_and_a_tap_elsewhere_closes(browser, address, width):
    context = browser.new_context(has_touch=True, viewport={"width": width, "height": 800})
    visit = Visit(browser, f"{address}/{PAGE}", width=width, context=context)
    page, word = visit.page, visit.page.locator("a.term").nth(1)
    word.tap()
    card = shown(page)
    card.wait_for()
    box = card.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width and page.url.endswith(PAGE)
    assert all(link.bounding_box()["height"] >= 24 for link in card.locator("a").all())
    page.touchscreen.tap(width / 2, 3)
    card.wait_for(state="detached")
    word.tap()
    card.wait_for()
    word.tap()
    page.wait_for_url("**/glossary.html#term-*")
    assert visit.complaints == []
    context.close()


def test_axe_finds_nothing_with_a_card_open_in_light_and_dark(visit):
    page = visit.page
    page.evaluate(axe_core())
    for theme in THEMES:
        visit.look(1280, theme)
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        page.locator("a.term").first.focus()
        shown(page).wait_for()
        rules = "{include: [['article .term-card'], ['a.term']]}"
        found = page.evaluate(AXE.replace("axe.run(document,", f"axe.run({rules},"), False)
        assert found == []


def test_every_card_that_is_opened_lies_in_the_window_of_a_phone_and_moves_nothing(browser, address):
    visit = Visit(browser, f"{address}/{PAGE}", width=390)
    page, before = visit.page, visit.page.evaluate(SIZE)
    for word in page.locator("a.term").all()[:25]:
        word.focus()
        box = shown(page).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and page.evaluate(SIZE) == pytest.approx(before, abs=1)
    visit.close()


def test_it_works_from_the_file_system_and_is_a_plain_link_without_a_script_and_plain_text_on_paper(browser, html):
    visit = Visit(browser, (html / PAGE).as_uri())
    visit.page.locator("a.term").first.focus()
    shown(visit.page).wait_for()
    visit.page.emulate_media(media="print")
    look = "e => [getComputedStyle(e).textDecorationLine, getComputedStyle(e).color === getComputedStyle(e.parentElement).color]"
    assert visit.page.locator("a.term").nth(3).evaluate(look) == ["none", True]
    assert not shown(visit.page).is_visible()
    visit.close()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto((html / PAGE).as_uri())
    assert not page.locator(".term-card").first.is_visible()
    page.locator("a.term").first.click()
    page.wait_for_url("**/glossary.html#term-*")
    context.close()
