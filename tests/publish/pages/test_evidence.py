"""What the page on the rules computes: an example to scale, chance, pairs, and what more runs would settle."""

import re

import pytest
from books import ROOT
from reading import soup

from companion import check_metric, check_order, load_claims, load_record, smaller
from companion.publish.pages import evidence


@pytest.fixture(scope="module")
def judged():
    runs = load_record("depth").select(blocks=3)
    values = {run.seed: run.last("train_accuracy") for run in runs}
    return {"A-depth3-acc-train": check_metric("A-depth3-acc-train", values)}


def test_the_example_draws_each_run_and_the_report_on_one_scale(judged):
    """Second witness: the ticks, whose labels say the accuracy at their place."""
    drawn = soup(evidence.example_html(judged))
    ticks = [(float(t["x"]), float(t.text)) for t in drawn.select("svg text") if re.fullmatch(r"\d\.\d", t.text)]
    (x0, v0), (x1, v1) = ticks[0], ticks[-1]
    (part,) = judged["A-depth3-acc-train"].parts
    shown = [v0 + (float(dot["cx"]) - x0) * (v1 - v0) / (x1 - x0) for dot in drawn.select("circle")]
    assert shown == pytest.approx(part.values, abs=0.001)
    report = float(re.match(r"M([\d.]+)", drawn.select_one("path")["d"])[1])
    assert v0 + (report - x0) * (v1 - v0) / (x1 - x0) == pytest.approx(
        float(load_claims()["A-depth3-acc-train"].reported), abs=0.001
    )
    assert part.status in drawn.select_one("desc").text and drawn.select_one("svg")["aria-labelledby"]


def test_without_verdicts_there_is_no_example_and_nothing_undecided():
    assert evidence.example_html({}) == "" == evidence.pairs_html({})
    assert "No part is undecided" in evidence.settle_html({})


def test_it_is_said_with_how_many_numbers_of_other_networks_our_runs_would_agree():
    values = [run.last("val_accuracy") for run in load_record("depth").select(blocks=3)]
    verdict = check_metric("A-depth3-acc-val", values)
    text = " ".join(soup(evidence.chance_html({verdict.claim_id: verdict})).text.split())
    printed = [
        float(c.reported) for c in load_claims().values() if (c.report, c.metric, c.split) == ("A", "accuracy", "val")
    ]
    inside = sum(verdict.interval[0] <= value <= verdict.interval[1] for value in printed)
    assert verdict.status == "agrees" and f": {inside - 1} of {len(printed) - 1} lie inside" in text


def test_undecided_parts_are_listed_with_the_pairs_that_would_decide_fewest_first():
    flat, steep = {0: 0.2, 1: 0.31, 2: 0.19}, {0: 0.5, 1: 0.4, 2: 0.9}
    first = {0: 0.1, 1: 0.3, 2: 0.2}
    parts = (
        smaller("far", first, flat),
        smaller("near", first, steep),
        smaller("sure", first, {0: 0.5, 1: 0.71, 2: 0.6}),
    )
    verdicts = {"A-drop-gap": check_order("A-drop-gap", *parts)}
    rows = [[cell.text for cell in row.select("td")] for row in soup(evidence.settle_html(verdicts)).select("tbody tr")]
    assert [row[0].split()[0] for row in rows] == ["near", "far"]
    assert [row[3] for row in rows] == [f"{parts[1].needed:,}", f"{parts[0].needed:,}"]
    found = sorted(part.correlation for part in parts)
    between = f"{found[0]:.2f} to {found[-1]:.2f}".replace("-", "−")
    assert between in " ".join(soup(evidence.pairs_html(verdicts)).text.split())


def test_the_page_names_the_precisions_and_margins_that_the_code_uses():
    from companion.evidence.verdicts import PRECISION

    text = " ".join((ROOT / "book" / "evidence.md").read_text(encoding="utf-8").split())
    assert (
        f"{PRECISION['accuracy']} for an accuracy, {PRECISION['loss']} for a loss, {PRECISION['best epoch']} for a best epoch"
        in text
    )


def test_the_box_on_repeating_a_run_says_what_the_code_does():
    """Order, last batch and scaling as the box says, without the book's loop."""
    import torch

    from companion.training import engine

    byte = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(engine.as_input(byte), (byte.float() - 127.5) / 127.5)
    ours = torch.Generator().manual_seed(3)
    batches = engine._order(300, 128, None, torch.Generator().manual_seed(3), "cpu")
    assert [len(batch) for batch in batches] == [128, 128, 44]
    assert torch.equal(torch.cat(batches), torch.randperm(300, generator=ours))
