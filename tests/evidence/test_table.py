"""Verdict cards: every row of the chapter once, words, signs and numbers as HTML, and what travels with them."""

import json
from dataclasses import asdict, replace
from decimal import Decimal

import pytest
from reading import soup

from companion import (
    about_same,
    check_count,
    check_metric,
    check_order,
    claims_table,
    judge,
    larger,
    load_claims,
    smaller,
)
from companion.evidence import table
from companion.evidence.ledger import Claim
from companion.evidence.verdicts import Part, Verdict

LOSSES = {0: 0.91, 1: 1.13, 2: 0.98, 3: 1.05}


def cards(*verdicts):
    return soup(table.cards_html(verdicts))


def card_of(claim, verdict):
    """One card for a claim that need not be in the ledger."""
    made = table.environment().get_template("verdicts.html").module.card(claim, verdict, claim.text)
    return soup(str(made))


def numbers_of(card):
    return [span.text for span in card.select_one(".claim-numbers").select("span:not(.claim-heard)")]


def test_the_cards_want_every_row_of_the_chapter_once():
    judged = [Verdict(key, "not yet tested") for key in load_claims("dropout")]
    with pytest.raises(ValueError, match="A-drop-gap"):
        claims_table(judged[:-2])
    with pytest.raises(ValueError, match="exactly once"):
        claims_table([*judged, judged[0]])


def test_the_cards_carry_the_verdicts_and_read_as_text_too(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *data, **more: shown.append((*data, more)))
    judged = [Verdict(key, "not yet tested") for key in load_claims("dropout")]
    judged[0] = check_metric("A-drop50-acc-train", LOSSES)
    claims_table(judged)
    ((data, more),) = shown
    assert more["metadata"]["companion_claims"] == [asdict(verdict) for verdict in judged]
    assert json.loads(json.dumps(more["metadata"]))["companion_claims"][0]["parts"][0]["values"] == list(
        LOSSES.values()
    )
    lines = data["text/plain"].splitlines()
    assert len(lines) == len(judged) and lines[1] == "– A-drop50-acc-val: not yet tested"
    assert [card["id"] for card in soup(data["text/html"]).select(".claim-card")] == [
        f"verdict-{v.claim_id}" for v in judged
    ]


def test_whatever_stands_in_a_claim_is_escaped():
    claim = Claim("x", "A", "c", "text", statement='a < b & "c" <script>')
    part = Part("p < <i>q</i>", "holds", "larger", measured=1.0, interval=(0.5, 1.5), n=2, values=(0.9, 1.1))
    verdict = Verdict("x", "not supported", evidence="p < <i>0.1</i>; it's so", parts=(part, part))
    card = card_of(claim, verdict)
    assert card.select_one(".claim-words").text == claim.text
    assert numbers_of(card) == ["p < <i>0.1</i>", "it's so"]
    assert card.select_one(".claim-part .claim-words").find(string=True, recursive=False).strip() == part.what
    assert card.find("i") is None and card.find("script") is None


def test_a_metric_reads_in_words_with_the_digits_of_the_report():
    verdict = check_metric("A-drop50-loss-val", LOSSES)
    card = cards(verdict).select_one(".claim-card")
    reported = load_claims()["A-drop50-loss-val"].reported
    assert card.select_one(".claim-heard").text.strip() == f"report {reported}"
    low, high = (f"{end:.3f}" for end in verdict.interval)
    mean, interval, n = numbers_of(card)
    assert mean.startswith("our mean ") and n == "n = 4 seeds"
    assert interval == f"one further run {low} to {high}"
    assert card.select_one(".strip-label").text == f"report {reported}"
    assert card.svg["aria-hidden"] == "true", "whoever listens hears the words"


def test_a_number_that_agrees_by_half_a_digit_says_so():
    (part,) = check_metric("A-drop50-loss-val", LOSSES).parts
    marked = replace(part, status="agrees", half_digit=True)
    card = cards(Verdict("A-drop50-loss-val", "agrees", 1.0, parts=(marked,))).select_one(".claim-card")
    assert numbers_of(card)[-1] == "agrees by half of the report’s last digit"


def test_the_badge_counts_the_parts_and_the_fold_has_one_row_each():
    first = {0: 0.5, 1: 0.6, 2: 0.55}
    second = {seed: value + 0.3 + 0.01 * seed for seed, value in first.items()}
    verdict = check_order(
        "A-drop-gap", smaller("a", first, second), smaller("b", first, second), larger("c", first, second)
    )
    assert [part.status for part in verdict.parts] == ["holds", "holds", "reversed"] and verdict.status == "mixed"
    card = cards(verdict).select_one(".claim-card")
    assert card.select_one(".claim-verdict").text.split(maxsplit=2)[1:] == ["mixed", "2 hold, 1 reversed"]
    rows = card.select("details .claim-part")
    assert [row.select_one(".verdict").text.split()[-1] for row in rows] == ["holds", "holds", "reversed"]
    assert card.details.summary.text.split() == ["The", "3", "parts", "✓✓✗"]
    for row, part in zip(rows, verdict.parts, strict=True):
        words = [span.text for span in row.select(".claim-numbers span:not(.claim-heard)")]
        assert f"as stated in {part.pointing} of 3 seeds" in words
        assert words[0] == f"difference −{abs(part.measured):.3f}"
        assert [word.partition(" ")[0] for word in words if "p =" in word or "p <" in word] == ["p", "Holm’s"]


def test_an_undecided_part_says_how_many_runs_would_decide():
    first, second = {0: 0.5, 1: 0.6, 2: 0.7, 3: 0.5}, {0: 0.52, 1: 0.55, 2: 0.75, 3: 0.54}
    verdict = check_order("A-drop-gap", smaller("a", first, second))
    (part,) = verdict.parts
    assert part.status == "undecided" and part.needed > 4
    assert f"n for 80 % power: {part.needed:,}" in numbers_of(cards(verdict).select_one(".claim-card"))
    none = replace(part, needed=None)
    assert "n for 80 % power: more than 10,000" in table.in_words(none)


def test_the_margin_of_about_the_same_is_said():
    first, second = {0: 0.5, 1: 0.6, 2: 0.7}, {0: 0.501, 1: 0.602, 2: 0.699}
    verdict = check_order("A-drop-gap", about_same("a", first, second, margin=0.015))
    assert verdict.status == "holds" and "margin 0.015" in numbers_of(cards(verdict).select_one(".claim-card"))


def test_a_count_says_by_how_much_the_report_is_off():
    claim = load_claims()["A-vgg-total"]
    card = cards(check_count("A-vgg-total", claim.correct)).select_one(".claim-card")
    off = claim.reported - claim.correct
    assert off > 0 and numbers_of(card) == [
        f"report {claim.reported:,}",
        f"counted {claim.correct:,}",
        f"off by +{off:,} (+{100 * off / claim.correct:.2f}%)",
    ]
    right = cards(check_count("A-vgg-fc1", load_claims()["A-vgg-fc1"].correct)).select_one(".claim-card")
    assert not [word for word in numbers_of(right) if "off" in word]


def test_numbers_of_one_network_stand_together_below_its_name_and_a_line_counts_the_verdicts():
    judged = [check_metric(f"A-drop{code}-loss-val", LOSSES) for code in ("50", "0")]
    judged += [check_metric("A-drop0-loss-train", LOSSES), judge("A-drop-choice", "supported", "seen")]
    page = cards(*judged)
    groups = [
        (g.p.text if g.select_one(".claim-setup") else "", len(g.select(".claim-card")))
        for g in page.select(".claim-group")
    ]
    claims = load_claims()
    assert groups == [(claims["A-drop50-loss-val"].setup, 1), (claims["A-drop0-loss-val"].setup, 2), ("", 1)]
    assert [c.select_one(".claim-words").text for c in page.select(".is-short")] == ["validation loss"] * 2 + [
        "training loss"
    ]
    tally = {item.text.strip() for item in page.select(".claim-tallied")}
    statuses = [verdict.status for verdict in judged]
    counted = {(status, statuses.count(status)) for status in statuses}
    assert len(tally) == len(counted) and page.select_one(".claim-tally strong").text == "4 claims:"
    assert all(any(f" {n} {table.plural(status, n)}" in item for item in tally) for status, n in counted)


def test_a_number_in_parts_is_compared_with_the_reports_number_of_each_part():
    claim = load_claims()["C-best-epochs"]
    parts = [
        Part(
            what,
            "differs",
            reported=number,
            measured=15.0,
            interval=(11.0, 19.0),
            n=3,
            values=(14, 15, 16),
            limits=(1, 20),
        )
        for what, number in zip(("recurrent", "convolutional"), claim.reported, strict=True)
    ]
    card = cards(Verdict(claim.id, "differs", parts=tuple(parts), n=3)).select_one(".claim-card")
    assert [label.text for label in card.select(".strip-label")] == [f"report {number}" for number in claim.reported]


def test_a_part_with_too_few_runs_has_no_picture_but_says_so():
    card = cards(check_metric("A-drop50-loss-val", {0: 1.0})).select_one(".claim-card")
    assert card.find("svg") is None and numbers_of(card) == ["1 recorded run: too few for an interval"]


def test_the_words_for_one_claim_and_one_status_are_in_the_singular():
    assert cards(judge("A-drop-choice", "supported", "seen")).select_one(".claim-tally strong").text == "1 claim:"
    assert [table.plural("agrees, the rest too wide to tell", n) for n in (1, 2)] == [
        "agrees, the rest too wide to tell",
        "agree, the rest too wide to tell",
    ]


def test_an_about_number_keeps_its_digits_and_its_sign():
    claim = Claim("x", "A", "c", "metric", statement="s", reported=Decimal("0.90"), about=True)
    part = Part("", "agrees", reported=0.9, measured=0.91, interval=(0.8, 1.0), n=3, values=(0.9, 0.91, 0.92))
    card = card_of(claim, Verdict("x", "agrees", 0.91, parts=(part,)))
    assert card.select_one(".strip-label").text == "report ≈ 0.90"
