"""The site for everyone: axe-core over every page, the keyboard, motion, targets, pictures that keep their place."""

import re
from contextlib import contextmanager
from importlib.resources import files
from itertools import pairwise

import pytest
from books import PAGES as CONTENTS
from bs4 import BeautifulSoup

from companion.publish.site import accessible

OTHERS = "the others"  # every page that the build adds to those of the contents: search, index, ...
PAGES = [*CONTENTS, OTHERS]
CHAPTER = "book/rnn-vs-cnn.html"  # has one of everything: folds, wide tables, wide code, formulas, figures
WIDTHS = {"desktop": 1280, "phone": 390}
THEMES = ("light", "dark")


def built(html, name):
    """The page of that name, or all those that the build adds; the redirect at the root leads to one of the contents."""
    if name != OTHERS:
        return [name]
    names = [path.relative_to(html).as_posix() for path in accessible.pages(html)]
    return [name for name in names if name not in (*PAGES, "index.html")]


@contextmanager
def opened(browser, html, name, width=1280):
    """A page of the site in a window of that width, without motion, its formulas set."""
    context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(120_000)  # tests may share two cores with kernels
    try:
        page = context.new_page()
        page.goto((html / name).as_uri())
        page.evaluate("window.MathJax && MathJax.startup ? MathJax.startup.promise.then(() => 0) : 0")
        yield page
    finally:
        context.close()


# -------------------------------------------------------------------------------------------------------- axe-core

# Thousands of coloured words of code cost axe a minute a page. Their colours are measured by CODE; then they become plain text, which
# takes the same room, and axe looks at all the rest.
PLAIN = """() => {
    document.querySelectorAll(".highlight pre").forEach((pre) => { pre.textContent = pre.textContent; });
    document.querySelectorAll("mjx-math").forEach((math) => {  // hidden from screen readers, which have a twin of it
      const {width, height} = math.getBoundingClientRect();
      math.textContent = "";
      Object.assign(math.style, {display: "inline-block", width: width + "px", height: height + "px"});
    });
  }"""
AXE = """() => axe.run(document, {
    preload: false, resultTypes: ["violations"],
    rules: {"target-size": {enabled: true}, "label-content-name-mismatch": {enabled: true}},
  }).then(({violations}) => violations.flatMap(({id, nodes}) => nodes.map((node) =>
    `${id}: ${node.html.slice(0, 300)}\\n    ${node.failureSummary.split("\\n").slice(1).join(" ").trim()}`)))"""

SHOW = """(theme) => {
    document.documentElement.dataset.theme = theme;
    document.querySelectorAll("details").forEach((details) => { details.open = true; });
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  }"""

# The contrast of every kind of word in code against the paper it stands on.
CODE = """() => {
    const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = (rgb) => rgb.slice(0, 3).map((c) => c / 255)
      .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
      .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const paper = (tag) => {
      for (; tag; tag = tag.parentElement) {
        const colour = numbers(getComputedStyle(tag).backgroundColor);
        if (colour.length < 4 || colour[3] === 1) return light(colour);
      }
    };
    const seen = new Map();
    for (const word of document.querySelectorAll(".highlight pre span"))
      if (word.textContent.trim()) seen.set(word.className + !!word.closest(".cell_output"), word);
    return [...seen.values()].map((word) => {
      const [low, high] = [light(numbers(getComputedStyle(word).color)), paper(word)].sort((a, b) => a - b);
      return [word.textContent, (high + 0.05) / (low + 0.05)];
    }).filter(([, contrast]) => contrast < 4.5);
  }"""


@pytest.fixture(scope="module")
def axe():
    """The script of axe-core, out of the installed package."""
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_in_light_and_dark_with_everything_unfolded(browser, html, axe, name, width):
    for page_name in built(html, name):
        found = []
        with opened(browser, html, page_name, WIDTHS[width]) as page:
            page.evaluate(axe)
            for theme in THEMES:
                page.evaluate(SHOW, theme)
                found += [f"{theme}: code: {word} has a contrast of {c:.2f}" for word, c in page.evaluate(CODE)]
            page.evaluate(PLAIN)
            for theme in THEMES:
                page.evaluate(SHOW, theme)
                found += [f"{theme}: {line}" for line in page.evaluate(AXE)]
        assert not found, f"{page_name} on the {width}:\n" + "\n".join(found)


@pytest.mark.slow
@pytest.mark.browser
def test_axe_finds_nothing_in_the_open_drawers_of_a_phone(browser, html, axe):
    with opened(browser, html, CHAPTER, 390) as page:
        page.evaluate(axe)
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
    with opened(browser, html, CHAPTER) as page:
        yield page


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_headings_go_down_one_step_at_a_time(html, name):
    for page_name in built(html, name):
        soup = BeautifulSoup((html / page_name).read_text(encoding="utf-8"), "html.parser")
        for hidden in soup.find_all(class_="onlyprint"):
            hidden.decompose()
        levels = [int(tag.name[1]) for tag in soup.main.find_all(["h1", "h2", "h3", "h4", "h5", "h6"])]
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels)), (page_name, levels)


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
    with opened(browser, html, CHAPTER, 390) as page:
        page.evaluate(SHOW, "light")
        boxes = page.evaluate(
            """() => [...document.querySelectorAll("article *")].filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth
                && /auto|scroll/.test(getComputedStyle(e).overflowX))
              .map((e) => [e.tabIndex, e.getAttribute("aria-label") || e.tagName, !!e.closest("details"), e.outerHTML.slice(0, 120)])"""
        )
        assert any(folded for *_, folded, _ in boxes)
        assert [box for box in boxes if box[0] != 0 or not re.search(" in: |MJX", box[1])] == []
        table = page.locator('[aria-label^="Table in:"]').first
        table.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("box => box.scrollLeft > 0", arg=table.element_handle())
        page.set_viewport_size({"width": 1800, "height": 900})
        page.wait_for_function(
            "() => [...document.querySelectorAll('article [role=group]')].every(e => e.scrollWidth > e.clientWidth)"
        )


# ------------------------------------------------------------------------------------------ motion, targets, places


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


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
def test_a_finger_can_hit_what_can_be_clicked_and_pictures_keep_their_place(browser, html, name):
    for page_name in built(html, name):
        with opened(browser, html, page_name, 390) as page:
            small = page.evaluate(
                """() => [...document.querySelectorAll("a[href], button, summary, input, select")]
                  .filter((e) => e.getClientRects().length && getComputedStyle(e).display !== "inline")
                  .map((e) => [e.outerHTML.slice(0, 150), e.getBoundingClientRect()])
                  .filter(([, box]) => box.width && Math.min(box.width, box.height) < 23.9)
                  .map(([text, box]) => `${text} ${box.width} x ${box.height}`)"""
            )
            assert small == [], page_name
            images = page.evaluate(
                """() => [...document.querySelectorAll("article img")].map((e) => [e.src.split("/").pop(), e.hasAttribute("height"),
                  Math.abs(e.clientWidth / e.clientHeight / (e.naturalWidth / e.naturalHeight) - 1), e.clientWidth])"""
            )
            assert [image for image in images if not image[1] or image[2] > 0.02 or image[3] > 390] == []
