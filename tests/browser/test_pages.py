"""Every page in a real browser, on desktop and phone, in light and dark."""

import pytest
from books import PAGES
from visits import Visit


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_in_the_browser(browser, address, name, width, theme):
    visit = Visit(browser, f"{address}/{name}", width, theme)
    page = visit.page
    assert visit.outside == [] and visit.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, "nothing sticks out sideways"
    assert page.locator("article h1").count() == 1
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)")
    assert (sum(paper) < 200) == (theme == "dark"), f"the {theme} page is {paper}"
    images = page.evaluate(
        "[...document.querySelectorAll('article img')].map(i => [i.complete && i.naturalWidth > 0, i.alt.length])"
    )
    assert all(loaded and alt >= 20 for loaded, alt in images)
    visit.close()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
def test_every_formula_is_rendered_also_from_the_file_system(browser, html, name):
    visit = Visit(browser, (html / name).as_uri())
    sources = visit.page.locator(".math").count()
    rendered = visit.page.locator(".math mjx-container").count()
    assert rendered >= sources, f"{sources} formulas, {rendered} rendered"
    assert visit.page.locator("mjx-merror").count() == 0
    assert visit.outside == []
    if name.endswith("dropout.html"):
        assert sources > 0
    visit.close()


@pytest.mark.slow
@pytest.mark.browser
def test_a_folded_solution_opens_on_a_click(browser, address):
    visit = Visit(browser, f"{address}/book/dropout.html")
    solution = visit.page.locator(".tag_solution details").first
    output = solution.locator(".highlight").first
    assert not output.is_visible()
    solution.locator("summary").first.click()
    assert output.is_visible()
    visit.close()


@pytest.mark.slow
@pytest.mark.browser
def test_search_finds_a_word_of_a_chapter(browser, address):
    visit = Visit(browser, f"{address}/search.html?q=dropout")
    visit.page.wait_for_selector("#search-results li a")
    links = visit.page.eval_on_selector_all("#search-results li a", "links => links.map(link => link.href)")
    assert any("dropout" in link for link in links)
    assert visit.outside == []
    visit.close()


@pytest.mark.slow
@pytest.mark.browser
def test_a_wide_table_scrolls_inside_its_box_on_a_phone(browser, address):
    visit = Visit(browser, f"{address}/book/dropout.html", width=390)
    box = visit.page.locator(".claims-table").first
    assert box.evaluate("e => e.scrollWidth > e.clientWidth && getComputedStyle(e).overflowX === 'auto'")
    visit.close()
