"""The site for everyone: the keyboard, headings, drawers, boxes that scroll, motion."""

import re
from contextlib import contextmanager
from itertools import pairwise

import pytest
from axe import AXE, PLAIN, SHOW, THEMES, axe_core
from books import ADDED, FULLEST, PAGES
from bs4 import BeautifulSoup
from visits import PATIENCE


@contextmanager
def opened(browser, html, name, width=1280):
    """A page of the site in a window of that width, without motion, its formulas set."""
    context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    try:
        page = context.new_page()
        page.goto((html / name).as_uri())
        page.evaluate("window.MathJax && MathJax.startup ? MathJax.startup.promise.then(() => 0) : 0")
        yield page
    finally:
        context.close()


# ------------------------------------------------------------------------------------------------------- drawers


@pytest.mark.slow
@pytest.mark.browser
def test_axe_finds_nothing_in_the_open_drawers_of_a_phone(browser, html):
    with opened(browser, html, FULLEST, 390) as page:
        page.evaluate(axe_core())
        page.evaluate(PLAIN)
        for side in ("primary", "secondary"):
            toggle = page.locator(f"button.{side}-toggle")
            toggle.focus()
            page.keyboard.press("Enter")
            page.wait_for_selector(f"dialog#pst-{side}-sidebar-modal[open]")
            assert page.evaluate("document.activeElement.closest('dialog') !== null"), "the drawer takes the focus"
            for theme in THEMES:
                page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
                assert page.evaluate(AXE) == []
            page.keyboard.press("Escape")
            page.wait_for_selector(f"dialog#pst-{side}-sidebar-modal:not([open])", state="attached")
            assert toggle.evaluate("e => e === document.activeElement"), "closing it gives the focus back"


# ------------------------------------------------------------------------------------------------------ the keyboard


@pytest.fixture
def chapter(browser, html):
    """A chapter in a window of a laptop, with the keyboard at hand."""
    with opened(browser, html, FULLEST) as page:
        yield page


@pytest.mark.slow
@pytest.mark.parametrize("name", [*PAGES, *ADDED])
def test_headings_go_down_one_step_at_a_time(html, name):
    soup = BeautifulSoup((html / name).read_text(encoding="utf-8"), "html.parser")
    for hidden in soup.find_all(class_="onlyprint"):
        hidden.decompose()
    levels = [int(tag.name[1]) for tag in soup.main.find_all(["h1", "h2", "h3", "h4", "h5", "h6"])]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels


@pytest.mark.slow
@pytest.mark.browser
def test_the_first_tab_shows_a_link_that_leads_past_the_sidebar(chapter):
    chapter.keyboard.press("Tab")
    link = chapter.locator(":focus")
    assert link.get_attribute("href") == "#main-content"
    box = link.bounding_box()
    assert box["y"] >= 0 and box["height"] >= 24, "the link is in sight"
    chapter.keyboard.press("Enter")
    chapter.keyboard.press("Tab")
    assert chapter.evaluate("document.activeElement.closest('main') !== null")


# Every stop of the Tab key: whether a ring or shadow of 3:1 against the paper shows that it has the focus, and whether it can be seen.
RINGS = """() => {
    const numbers = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
    const seen = (tag) => {
      for (let e = tag; e; e = e.parentElement) if (Number(getComputedStyle(e).opacity) < 0.3) return false;
      return tag.getClientRects().length > 0;
    };
    const stops = [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")]
      .filter((tag) => tag.getClientRects().length && getComputedStyle(tag).visibility === "visible");
    const blind = [];
    for (const tag of stops) {
      tag.focus({preventScroll: true});
      if (document.activeElement !== tag) continue;
      const style = getComputedStyle(tag);
      const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
      if (!(ring || style.boxShadow !== "none") || !seen(tag)) blind.push(tag.outerHTML.slice(0, 200));
    }
    return [stops.length, blind];
  }"""


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("theme", THEMES)
def test_wherever_the_tab_key_stops_it_can_be_seen(chapter, theme):
    chapter.evaluate(SHOW, theme)
    chapter.keyboard.press("Tab")  # from now on the focus is the keyboard's
    stops, blind = chapter.evaluate(RINGS)
    assert stops > 50 and not blind, "\n".join(blind)


@pytest.mark.slow
@pytest.mark.browser
def test_every_fold_opens_by_keyboard(chapter):
    folds = chapter.locator("article summary")
    assert folds.count() >= 5
    for fold in folds.all():
        fold.focus()
        before = fold.evaluate("e => e.parentElement.open")
        chapter.keyboard.press("Enter")
        assert fold.evaluate("e => e.parentElement.open") is not before, fold.inner_text()


@pytest.mark.slow
@pytest.mark.browser
def test_every_box_that_scrolls_has_a_name_and_moves_by_arrow_keys_also_inside_a_fold(browser, html):
    with opened(browser, html, FULLEST, 390) as page:
        page.evaluate(SHOW, "light")
        boxes = page.evaluate(
            """() => [...document.querySelectorAll("article *")].filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth
                && /auto|scroll/.test(getComputedStyle(e).overflowX))
              .map((e) => [e.tabIndex, e.getAttribute("aria-label") || e.tagName, !!e.closest("details"), e.outerHTML.slice(0, 120)])"""
        )
        assert any(folded for *_, folded, _ in boxes)
        assert [box for box in boxes if box[0] != 0 or not re.search(" in: |MJX", box[1])] == []
        table = page.locator('[aria-label^="Table in:"] >> visible=true').first  # not one covered by an open prediction
        table.focus()
        assert table.evaluate("box => box === document.activeElement")
        page.keyboard.press("ArrowRight")
        page.wait_for_function("box => box.scrollLeft > 0", arg=table.element_handle())
        page.set_viewport_size({"width": 1800, "height": 900})
        page.wait_for_function(
            """() => [...document.querySelectorAll('article [role=group][aria-label*=" in: "]')]
                .every(e => e.scrollWidth > e.clientWidth || e.closest("[hidden]"))"""
        )


# -------------------------------------------------------------------------------------------------------- motion


@pytest.mark.slow
@pytest.mark.browser
def test_nothing_moves_for_who_wants_no_motion(chapter):
    moving = chapter.evaluate(
        """() => [...document.querySelectorAll("*")].filter((e) => ["", "::before", "::after"].some((part) => {
            const style = getComputedStyle(e, part || null);
            const longest = (text) => Math.max(...text.split(",").map(parseFloat));
            return longest(style.transitionDuration) > 0.01 || longest(style.animationDuration) > 0.01
              || style.scrollBehavior === "smooth";
          })).map((e) => e.outerHTML.slice(0, 100))"""
    )
    assert moving == []
