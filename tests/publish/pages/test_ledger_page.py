"""The ledger page: every row with all that its filters ask, and the filters and the sorting in a browser."""

import re

import pytest
from reading import soup
from visits import Visit

from companion import check_metric, check_order, load_claims, smaller
from companion.evidence.digits import interval_text
from companion.evidence.statuses import group_of
from companion.evidence.verdicts import Verdict
from companion.publish.pages import ledger


def test_the_ledger_table_says_all_that_its_filters_ask(verdicts, written):
    page = soup(ledger.ledger_html(verdicts, written))
    rows = {row["id"]: row for row in page.select("#ledger-table tbody tr[id]")}
    assert set(rows) == set(load_claims())
    offered = {s["name"]: {o["value"] for o in s.select("option")} - {""} for s in page.select("select")}
    for claim in load_claims().values():
        row = rows[claim.id]
        assert (row["data-report"], row["data-chapter"], row["data-kind"]) == (claim.report, claim.chapter, claim.kind)
        assert {row["data-verdict"], "any-" + row["data-group"]} <= offered["verdict"]
    for name in ("report", "chapter", "kind"):
        assert offered[name] == {row[f"data-{name}"] for row in rows.values()}
    assert page.form.has_attr("hidden"), "without the script the page offers no filter"


def test_a_row_shows_its_verdict_second_and_an_interval_with_its_picture_or_the_evidence_to_be_folded_out():
    values = {0: 0.9, 1: 1.0, 2: 1.1}
    metric = check_metric("A-drop50-loss-val", values)
    order = check_order("A-drop-gap", smaller("a < b", values, {seed: v + 1 for seed, v in values.items()}))
    text = Verdict("A-drop-choice", "supported", evidence="seen; twice")
    count = Verdict("A-vgg-total", "differs", 1, "recomputed exactly")
    known = {verdict.claim_id: verdict for verdict in (metric, order, text, count)}
    rows = {row["id"]: row.select("td") for row in soup(ledger.ledger_html(known, {})).select("tr[id]")}
    assert {len(row) for row in rows.values()} == {len(ledger.COLUMNS)}
    for key, verdict in known.items():
        assert rows[key][1].select_one(".verdict").text.split(maxsplit=1)[1] == verdict.status
    low, high = interval_text(*metric.interval).split(" to ")
    assert rows[metric.claim_id][-2].text == "3" and rows[metric.claim_id][-1].select_one(".strip .strip-report")
    assert rows[metric.claim_id][-1].select_one(".claim-numbers").text == f"{low} to {high}"
    fold = rows[order.claim_id][-1].details
    assert fold.summary.text == "by pairs" and fold.select_one(".claim-part .strip .strip-zone")
    assert fold.select_one(".claim-words").text.startswith("a < b")
    assert list(rows[text.claim_id][-1].details.stripped_strings) == ["evidence", "seen", "twice"]
    assert [cell.text for cell in rows["A-vgg-total"][-2:]] == ["", ""]
    assert [cell.text for cell in rows["E-bce"][1:2] + rows["E-bce"][-3:]] == ["– not yet tested", "", "", ""]


def shown(visit):
    """(the ids of the rows in sight, in order; what the line above the table says)"""
    rows = visit.page.eval_on_selector_all(
        "#ledger-table tr[id]", "rows => rows.filter(r => r.offsetParent).map(r => r.id)"
    )
    return rows, visit.page.locator("#ledger-count").inner_text()


def expected(verdicts, **wanted):
    def status(claim):
        return verdicts[claim.id].status if claim.id in verdicts else "not yet tested"

    found = [claim for claim in load_claims().values() if all(getattr(claim, k) == v for k, v in wanted.items())]
    return [claim.id for claim in found], status


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("served", [True, False])
def test_the_ledger_filters_and_keeps_its_state_in_the_address(browser, address, html, verdicts, served):
    start = f"{address}/book/ledger.html" if served else (html / "book" / "ledger.html").as_uri()
    total = len(load_claims())
    visit = Visit(browser, start)
    page = visit.page
    assert shown(visit) == (list(load_claims()), f"{total} of {total} rows.")
    page.select_option("[name=kind]", "order")
    orders, status = expected(verdicts, kind="order")
    assert shown(visit) == (orders, f"{len(orders)} of {total} rows.")
    page.select_option("[name=verdict]", "any-part")
    parts = [id for id in orders if group_of(status(load_claims()[id])).key == "part"]
    assert shown(visit)[0] == parts and 0 < len(parts) < len(orders)
    assert page.evaluate("location.hash") == "#kind=order&verdict=any-part"
    page.reload()
    assert shown(visit)[0] == parts and page.input_value("[name=kind]") == "order"
    page.fill("[name=words]", "no such words anywhere")
    assert shown(visit) == ([], f"0 of {total} rows: nothing fits all of these filters.")
    page.click("button[type=reset]")
    page.wait_for_function("location.hash === ''")
    assert len(shown(visit)[0]) == total
    page.fill("[name=words]", "DROPOUT loss")
    found = shown(visit)[0]
    assert "A-drop50-loss-val" in found and "A-drop50-acc-val" not in found
    page.goto(start + "?report=C&verdict=any-part")
    of_c = expected(verdicts, report="C")[0]
    assert shown(visit)[0] == [id for id in of_c if group_of(status(load_claims()[id])).key == "part"]
    page.select_option("[name=report]", "A")
    assert page.evaluate("location.search + location.hash") == "#report=A&verdict=any-part"
    page.evaluate("location.hash = 'report=B&verdict=nonsense'")
    page.wait_for_function("document.querySelector('[name=report]').value === 'B'")
    assert shown(visit)[0] == expected(verdicts, report="B")[0]
    assert visit.complaints == visit.outside == []
    visit.close()


@pytest.mark.slow
@pytest.mark.browser
def test_the_ledger_sorts_by_keyboard_in_both_directions_and_back(browser, address):
    visit = Visit(browser, f"{address}/book/ledger.html")
    page = visit.page
    heading = page.locator("#ledger-table th", has_text="Measured")

    def numbers():
        texts = page.eval_on_selector_all("#ledger-table tr[id]", "rows => rows.map(r => r.cells[3].textContent)")
        found = [re.search(r"-?\d+(\.\d+)?", text.replace(",", "")) for text in texts]
        values = [float(match.group()) if match else None for match in found]
        filled = [value for value in values if value is not None]
        assert values[: len(filled)] == filled, "rows without a number come last"
        return filled

    page.keyboard.press("Tab")
    heading.locator("button").focus()
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending" and numbers() == sorted(numbers())
    assert page.locator("#A-mlp-time .of-chapter").is_visible(), "out of its group a row names its chapter"
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "descending" and numbers() == sorted(numbers(), reverse=True)
    assert page.evaluate("location.hash") == "#sort=Measured&down=1"
    page.reload()
    assert heading.get_attribute("aria-sort") == "descending" and numbers() == sorted(numbers(), reverse=True)
    heading.locator("button").press("Enter")
    assert page.locator("[aria-sort]").count() == 0 and shown(visit)[0] == list(load_claims())
    visit.close()


@pytest.mark.slow
@pytest.mark.browser
def test_the_ledger_is_complete_without_scripts_and_an_address_leads_to_a_row(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/book/ledger.html")
    assert page.locator("#ledger-table tr[id]:visible").count() == len(load_claims())
    assert not page.locator("#ledger-filter").is_visible() and not page.locator("#ledger-count").is_visible()
    context.close()
    visit = Visit(browser, f"{address}/book/ledger.html#E-bce")
    in_sight = "(top => 0 <= top && top < innerHeight)(document.getElementById('E-bce').getBoundingClientRect().top)"
    visit.page.wait_for_function(in_sight, timeout=10_000)
    visit.close()
