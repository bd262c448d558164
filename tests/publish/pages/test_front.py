"""The front page: the ledger in numbers, as squares and as a table, on the first screen."""

import re
from collections import Counter

import pytest
from books import ROOT
from reading import soup
from visits import Visit

from companion import load_claims
from companion.evidence import statuses
from companion.evidence.verdicts import Part, Verdict
from companion.publish.pages import front, ledger
from companion.publish.pages.counts import count


def test_the_front_page_counts_the_ledger_and_its_tiles_add_up_to_what_is_tested(verdicts):
    page = soup(front.front_html(verdicts))
    words = Counter(verdict.status for verdict in verdicts.values())
    tiles = {item.span.text: int(item.b.text) for item in page.select(".front-numbers li")}
    tested = tiles.pop(f"of {len(load_claims())} claims tested so far")
    assert tested == len(verdicts) - words["not tested"] - words["not yet tested"] == sum(tiles.values())
    assert tiles["agree"] == words["agrees"] + words["holds"] + words["supported"] > 0
    assert len(page.select(".squares .claim")) == len(load_claims())
    assert len(page.select(".squares .claim.is-differ")) == tiles["differ"] > 0
    for line in page.select(".front-claims p:has(.squares)"):
        report = line.a.text[-1]
        own = [claim for claim in load_claims().values() if claim.report == report]
        assert line.select_one(".squares")["aria-label"].startswith(f"{len(own)} claims: ")
        assert len(line.select(".claim")) == len(own)


def test_numbers_of_one_network_and_counts_of_one_chapter_are_one_finding():
    ids = [id for id in load_claims() if id.startswith("A-vgg-conv")] + ["A-drop0-acc-train", "A-drop0-loss-val"]
    counted = count({id: Verdict(id, "differs") for id in [*ids, "A-drop-gap", "A-drop50-acc-val"]})
    assert (counted.contradicted, counted.findings) == (len(ids) + 2, 4)


def test_readme_front_page_and_ledger_show_one_count(verdicts):
    total = str(len(load_claims()))
    shown = re.search(r"<!-- claims -->(\d+)<", (ROOT / "README.md").read_text(encoding="utf-8"))[1]
    of_front = re.search(r"of (\d+) claims", soup(front.front_html(verdicts)).text)[1]
    of_ledger = re.search(r"(\d+) rows: ", soup(ledger.ledger_html(verdicts, {})).text)[1]
    assert shown == of_front == of_ledger == total


def test_by_chance_one_number_in_twenty_differs_and_holms_correction_is_that_of_all():
    ids = [id for id, claim in load_claims().items() if claim.kind == "metric"][:20]
    judged = {
        id: Verdict(id, "agrees", parts=(Part("", "agrees", p=p),))
        for id, p in zip(ids, [0.001, 0.02] + [0.5] * 18, strict=True)
    }
    counted = count(judged)
    assert (counted.numbers, counted.differing, counted.surviving) == (20, 2, 1)  # 0.001·20 and 0.02·19
    assert counted.expected == pytest.approx(1)


SOME = {"A-drop-gap": "mixed", "A-vgg-fc1": "agrees", "C-rnn-later": "reversed", "B-transfer": "not tested"}


@pytest.fixture(scope="module")
def some():
    """Verdicts of several groups, whatever the chapters find."""
    return {key: Verdict(key, status) for key, status in SOME.items()}


def test_each_square_knows_its_claim_its_verdict_and_its_row(some):
    verdicts = some
    found = {square["data-claim"]: square for square in soup(front.front_html(verdicts)).select(".squares .claim")}
    assert set(found) == set(load_claims())
    for claim in load_claims().values():
        status = verdicts[claim.id].status if claim.id in verdicts else "not yet tested"
        square = found[claim.id]
        assert (square["data-words"], square["data-status"]) == (claim.text, status)
        assert f"is-{statuses.group_of(status).key}" in square["class"] and square.text == statuses.SYMBOLS[status]


def test_another_verdict_changes_the_front_page(verdicts):
    changed = {**verdicts, "B-cnn-params": Verdict("B-cnn-params", "differs")}
    before, after = (len(soup(front.front_html(v)).select(".squares .is-differ")) for v in (verdicts, changed))
    assert after == before + 1


def test_the_figure_is_there_as_a_table_too_and_adds_up(verdicts):
    rows = [
        [cell.text for cell in row.select("td")] for row in soup(front.verdicts_by_report_html(verdicts)).select("tr")
    ]
    numbers = [[int(text or 0) for text in row] for row in rows[1:]]
    assert len(numbers) == len({claim.report for claim in load_claims().values()}) + 1
    assert all(sum(row[:-1]) == row[-1] for row in numbers)
    assert [sum(column) for column in zip(*numbers[:-1], strict=True)] == numbers[-1]
    assert numbers[-1][-1] == len(load_claims())


def test_no_count_is_typed_on_the_front_page_and_the_readmes_is_right():
    assert not re.search(
        r"\b\d{2,3} (numbers|claims|findings)", (ROOT / "book" / "index.md").read_text(encoding="utf-8")
    )
    typed = re.findall(r"\b(\d+) numbers and findings", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert {int(number) for number in typed} <= {len(load_claims())}


@pytest.fixture
def squares(browser, some):
    """The figure with its script, in a page of its own whose address tells where a square led to."""
    page = browser.new_page(viewport={"width": 390, "height": 844}, has_touch=True)
    styles = "".join(
        (ROOT / "book" / "static" / f"{name}.css").read_text(encoding="utf-8") for name in ("front", "tables")
    )
    page.route("**/*", lambda route: route.fulfill(content_type="text/html", body="<p>another page</p>"))
    page.goto("http://book.example/book/index.html")
    page.set_content(f"<style>{styles}</style>" + front.front_html(some).partition("<script")[0])
    page.add_script_tag(path=ROOT / "book" / "scripts" / "squares.js")
    yield page
    page.close()


@pytest.mark.browser
def test_a_square_names_its_claim_by_tap_and_by_keyboard_and_leads_to_its_row(squares):
    caption = squares.locator(".front-claim")
    ids = squares.eval_on_selector_all(".squares .claim", "all => all.map(e => e.dataset.claim)")
    box = squares.locator(f"#square-{ids[3]}").bounding_box()
    squares.touchscreen.tap(box["x"] + box["width"] / 2 + 1, box["y"] + box["height"] / 2)
    assert ids[3] in caption.inner_text() and load_claims()[ids[3]].text in caption.inner_text()
    assert squares.url.endswith("index.html"), "a tap names, and its link leads on"
    first = squares.locator(".squares").first
    assert first.get_attribute("role") == "listbox" and squares.locator(".squares[tabindex='0']").count() == 5
    first.focus()
    first.press("Home")
    first.press("ArrowRight")
    assert ids[1] in caption.inner_text() and first.get_attribute("aria-activedescendant") == f"square-{ids[1]}"
    name = squares.locator(f"#square-{ids[1]}").get_attribute("aria-label")
    assert (
        name
        == f"{ids[1]}, {load_claims()[ids[1]].text}: {squares.locator(f'#square-{ids[1]}').get_attribute('data-status')}"
    )
    first.press("Enter")
    squares.wait_for_url(f"**/ledger.html#{ids[1]}")


@pytest.mark.browser
def test_a_square_names_its_claim_under_the_mouse_and_a_click_leads_to_its_row(squares):
    square = squares.locator(".squares .claim").nth(5)
    key = square.get_attribute("data-claim")
    square.hover()
    assert key in squares.locator(".front-claim").inner_text()
    square.click()
    squares.wait_for_url(f"**/ledger.html#{key}")


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.fonts
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_the_first_screen_says_what_was_found_and_where_to_start(browser, address, width, height):
    visit = Visit(browser, f"{address}/book/index.html", width)
    visit.page.set_viewport_size({"width": width, "height": height})
    for part in (".front-numbers", ".front-claims", ".front-start"):
        box = visit.page.locator(part).bounding_box()
        assert box["y"] + box["height"] <= height - 16 and box["height"] > 40, part
    assert visit.page.locator(".front-start a").count() == 3
    assert visit.page.locator(".navbar-brand img:visible").count() == (width == 1440)
    visit.close()
