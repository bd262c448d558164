"""The front page: the ledger in numbers, as squares and as a table, on the first screen."""

import re
from collections import Counter

import pytest
from books import ROOT
from reading import soup
from visits import Visit

from companion import load_claims
from companion.evidence.verdicts import Verdict
from companion.publish.pages import front


def test_the_front_page_counts_the_ledger(verdicts):
    page = soup(front.front_html(verdicts))
    words = Counter(verdict.status for verdict in verdicts.values())
    against = words["differs"] + words["reversed"] + words["not supported"]
    tiles = {item.span.text: int(item.b.text) for item in page.select(".front-numbers li")}
    assert tiles[f"of {len(load_claims())} claims tested"] == len(verdicts) - words["not tested"]
    assert tiles["differ"] == against > 0
    assert len(page.select(".squares .claim")) == len(load_claims())
    assert len(page.select(".squares .claim.is-differ")) == against
    for line in page.select(".front-claims p"):
        report = line.a.text[-1]
        own = [claim for claim in load_claims().values() if claim.report == report]
        assert line.select_one(".squares")["aria-label"].startswith(f"{len(own)} claims: ")
        assert len(line.select(".claim")) == len(own)


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
