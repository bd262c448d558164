"""Every page in a real browser, opened once: on desktop and phone, in light and dark, for eyes, fingers and screen readers."""

from itertools import product

import pytest
from axe import AXE, CODE, PLAIN, SHOW, THEMES, axe_core
from books import ADDED, FULLEST, NAMES, PAGES
from visits import Visit

from companion.publish.site import accessible

pytestmark = [pytest.mark.slow, pytest.mark.browser]

EVERY = [*PAGES, *ADDED]
WIDTHS = {"desktop": 1280, "phone": 390}
LOOKS = list(product(WIDTHS, THEMES))
CONTRASTS_ALONE = [("desktop", "dark"), ("phone", "light")]  # all else has been seen in that window and in that theme
CHAPTERS = [f"book/{name}.html" for name in NAMES]


def test_these_are_all_the_pages_of_the_site(html):
    built = {path.relative_to(html).as_posix() for path in accessible.pages(html)}
    assert built == {*EVERY, "index.html"}, "index.html leads on to the front page"


@pytest.fixture(scope="module")
def context(browser):
    """What all pages share, so that the formulas' script is read once."""
    context = browser.new_context(reduced_motion="reduce")
    yield context
    context.close()


@pytest.fixture(scope="module", params=EVERY)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def visit(browser, context, address, name):
    """The page, once for all the tests here; each says what window and theme it looks at, and the last one spoils it."""
    visit = Visit(browser, f"{address}/{name}", context=context)
    yield visit
    visit.close()


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_a_page_is_whole(visit, name, width, theme):
    visit.look(WIDTHS[width], theme)
    page = visit.page
    page.wait_for_function("theme => (document.documentElement.dataset.theme || theme) === theme", arg=theme)
    assert visit.outside == [] and visit.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, "nothing sticks out sideways"
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)")
    assert (sum(paper) < 200) == (theme == "dark"), f"the {theme} page is {paper}"
    assert page.locator("article h1").count() == 1 or name in ADDED
    images = page.evaluate(
        """async () => {  // of a figure's renderings, only the one for this theme and width is fetched, when it is near
          const all = [...document.querySelectorAll("article img")].filter((i) => i.loading !== "lazy" || i.checkVisibility());
          for (const image of all) image.loading = "eager";
          await Promise.all(all.map((image) => image.decode().catch(() => null)));
          return all.map((i) => [i.complete && i.naturalWidth > 0, i.alt.length]);
        }"""
    )
    assert all(loaded and alt >= 20 for loaded, alt in images)


def test_every_formula_is_rendered(visit, name):
    sources, rendered = visit.page.locator(".math").count(), visit.page.locator(".math mjx-container").count()
    assert rendered >= sources, f"{sources} formulas, {rendered} rendered"
    assert visit.page.locator("mjx-merror").count() == 0
    assert sources > 0 or name != FULLEST


TALL_HEADINGS = """() => [...document.querySelectorAll("article :is(h1, h2, h3, h4)")].filter((heading) => {
  const tall = heading.offsetHeight, sign = heading.querySelector(".headerlink");
  if (!sign) return false;
  sign.style.display = "none";
  const alone = heading.offsetHeight;
  sign.style.display = "";
  return tall !== alone;
}).map((heading) => heading.textContent)"""
CUT_OFF = """() => [...document.querySelectorAll("article .guess-cover")].filter((cover) =>
  [...cover.children].some((part) => part.getBoundingClientRect().bottom > cover.getBoundingClientRect().bottom)
  || cover.getBoundingClientRect().bottom > cover.parentElement.getBoundingClientRect().bottom + 1).length"""


def test_no_heading_has_an_empty_line_for_its_sign_no_cover_is_too_small_and_sentences_that_are_printed_are_seen_whole(
    visit,
):
    for width in WIDTHS.values():
        visit.look(width, "light")
        assert visit.page.evaluate(TALL_HEADINGS) == []
        assert visit.page.evaluate(CUT_OFF) == 0
        assert (
            visit.page.eval_on_selector_all(
                "pre.breaks", "all => all.filter((e) => e.scrollWidth > e.clientWidth).length"
            )
            == 0
        )


def test_words_of_a_table_stand_at_the_left_and_numbers_at_the_right(visit):
    cells = visit.page.eval_on_selector_all(
        "table.dataframe td:not(:first-child)",
        "all => all.map((e) => [e.innerText, e.classList.contains('text'), getComputedStyle(e).textAlign])",
    )
    assert [row for row in cells if row[2] != ("left" if row[1] else "right")] == []
    assert [text for text, words, _ in cells if words and text[:1].isdigit()] == []


def test_a_finger_can_hit_what_can_be_clicked_and_pictures_keep_their_place(visit):
    visit.look(WIDTHS["phone"], "light")
    small = visit.page.evaluate(
        """() => [...document.querySelectorAll("a[href], button, summary, input, select")]
          .filter((e) => e.getClientRects().length && getComputedStyle(e).display !== "inline")
          .map((e) => [e.outerHTML.slice(0, 150), e.getBoundingClientRect()])
          .filter(([, box]) => box.width && Math.min(box.width, box.height) < 23.9)
          .map(([text, box]) => `${text} ${box.width} x ${box.height}`)"""
    )
    assert small == []
    images = visit.page.evaluate(
        """() => [...document.querySelectorAll("article img")].map((e) => [e.src.split("/").pop(), e.hasAttribute("height"),
          Math.abs(e.clientWidth / e.clientHeight / (e.naturalWidth / e.naturalHeight) - 1), e.clientWidth])"""
    )
    assert [image for image in images if not image[1] or image[2] > 0.02 or image[3] > 390] == []


def looks_of(name):
    """Which windows and themes axe sees a page in: all four, but of the chapters, which are of one kind, only the fullest; the others
    in one each, in turn."""
    if name not in CHAPTERS or name == FULLEST:
        return LOOKS
    whole = [look for look in LOOKS if look not in CONTRASTS_ALONE]
    return [whole[CHAPTERS.index(name) % len(whole)]]


def test_axe_sees_each_kind_of_page_in_every_window_and_theme_and_each_chapter_in_one_of_them():
    one_each = [look for name in CHAPTERS if name != FULLEST for look in looks_of(name)]
    assert len(one_each) == len(CHAPTERS) - 1 and set(one_each) == {("desktop", "light"), ("phone", "dark")}
    assert [name for name in EVERY if looks_of(name) != LOOKS] == [name for name in CHAPTERS if name != FULLEST]


def test_code_can_be_read_and_axe_finds_nothing_with_everything_unfolded(visit, name):
    page, found = visit.page, []
    page.evaluate(axe_core())
    for theme in THEMES:
        page.evaluate(SHOW, theme)
        found += [f"{theme}: code: {word} has a contrast of {c:.2f}" for word, c in page.evaluate(CODE)]
    page.evaluate(PLAIN)
    for width, theme in looks_of(name):
        visit.look(WIDTHS[width], theme)
        page.evaluate(SHOW, theme)
        found += [f"{width}, {theme}: {line}" for line in page.evaluate(AXE, (width, theme) in CONTRASTS_ALONE)]
    assert not found, "\n".join(found)


# ---------------------------------------------------------------------------------------- pages in use


def test_a_folded_solution_opens_on_a_click(browser, address):
    visit = Visit(browser, f"{address}/book/dropout.html")
    solution = visit.page.locator("details.solution").first
    output = solution.locator(".highlight").first
    assert not output.is_visible()
    solution.locator("> summary").click()
    assert output.is_visible()
    visit.close()


def test_a_wide_table_scrolls_inside_its_box_on_a_phone(browser, address):
    visit = Visit(browser, f"{address}/book/dropout.html", width=390)
    wide = "e => e.scrollWidth > e.clientWidth && getComputedStyle(e).overflowX === 'auto'"
    boxes = visit.page.locator(".output.text_html:has(table.dataframe)")
    scrolling = [box for box in boxes.all() if box.evaluate(wide)]
    assert scrolling and all(
        "scroll" in box.evaluate("e => getComputedStyle(e, '::before').content") for box in scrolling
    )
    cards = visit.page.locator(".claim-cards, .claim-cards *:not(.claim-heard)")
    assert not cards.evaluate_all(f"all => all.some({wide})"), "what is decisive is seen without scrolling"
    visit.close()
