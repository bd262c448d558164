"""The front page: the ledger in numbers, as squares and as a table, on the first screen."""

import re
from collections import Counter

import pytest
from books import ROOT
from reading import soup
from visits import Visit

from companion import load_claims
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
