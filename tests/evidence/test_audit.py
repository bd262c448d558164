"""A report of one's own, judged by the rules of the book."""

import math
from statistics import mean, stdev

import numpy as np
import pytest
from scipy import stats

from companion import check_metric, load_record
from companion.evidence import audit, power

RUNS = [0.921, 0.935, 0.928, 0.940, 0.925]


def number(reported="0.93", **more):
    return {
        "claim": "c",
        "kind": "number",
        "reported": audit.Decimal(reported),
        "metric": "accuracy",
        "runs": [audit.Decimal(str(v)) for v in RUNS],
        **more,
    }


def of(*claims, folder="."):
    return audit.judged({"title": "t", "claims": list(claims)}, folder)


def test_the_example_is_judged_whole():
    found = audit.audit_text(audit.TEMPLATE)
    assert [verdict.status for _, verdict, _ in found.judged] == ["agrees", "holds", "agrees"]
    assert found.title and found.author == "somebody"


def test_a_number_is_judged_by_the_interval_of_one_further_run():
    reach = stats.t.ppf(0.975, 4) * stdev(RUNS) * math.sqrt(1.2)
    ((_, verdict, note),) = of(number()).judged
    assert verdict.interval == pytest.approx((mean(RUNS) - reach - 0.005, mean(RUNS) + reach + 0.005))
    assert verdict.status == "agrees" and "n = 5" in note
    assert of(number(f"{mean(RUNS) + reach + 0.001:.4f}")).judged[0][1].status == "differs"


def test_a_claim_of_the_book_is_judged_as_the_book_judges_it():
    runs = load_record("depth").values("val_accuracy", blocks=1)
    ours = check_metric("A-depth1-acc-val", runs)
    theirs = of(number("0.60", runs={seed: audit.Decimal(repr(value)) for seed, value in runs.items()})).judged[0][1]
    assert (theirs.measured, theirs.mean_interval) == (ours.measured, ours.mean_interval)


def test_orderings_are_paired_by_seed():
    first, second = {0: 1, 1: 2, 2: 4}, {2: 5, 1: 3, 0: 2.5}
    second = {seed: audit.Decimal(str(value)) for seed, value in second.items()}
    row = {"claim": "c", "kind": "order", "expected": "smaller", "first": first, "second": second}
    ((_, verdict, note),) = of(row).judged
    assert verdict.parts[0].values == (-1.5, -1, -1) and verdict.status == "holds"
    assert "could not have seen" in note


def test_what_so_many_pairs_see_is_what_a_simulation_finds():
    drawn = np.random.default_rng(0).normal(power.smallest_seen(4, 2.0), 2.0, (20_000, 4))
    low = drawn.mean(1) - stats.t.ppf(0.975, 3) * drawn.std(1, ddof=1) / 2
    assert np.mean(low > 0) == pytest.approx(0.8, abs=0.012)


def test_runs_come_from_a_csv_file_narrowed_down_and_paired(tmp_path):
    lines = [f"{seed},{rate},{0.9 + 0.01 * seed - 0.02 * (rate > 0)}" for rate in (0.0, 0.5) for seed in range(4)]
    (tmp_path / "runs.csv").write_text("\n".join(["seed,dropout,accuracy", *lines]), encoding="utf-8")

    def side(rate):
        return {"csv": "runs.csv", "column": "accuracy", "seed": "seed", "where": {"dropout": rate}}

    row = {
        "claim": "c",
        "kind": "order",
        "expected": "smaller",
        "first": side(audit.Decimal("0.50")),
        "second": side(0),
    }
    ((_, verdict, _),) = of(row, folder=tmp_path).judged
    assert verdict.n == 4 and verdict.parts[0].measured == pytest.approx(-0.02)
    text = audit.written_out({"title": "t", "claims": [row]}, tmp_path)
    assert "csv" not in text
    assert audit.audit_text(text).judged[0][1].parts[0].measured == pytest.approx(-0.02)


def test_digits_as_printed_survive_being_written_out():
    text = audit.written_out({"claims": [number("0.90")]}, ".")
    assert "reported: 0.90" in text
    ((claim, _, _),) = audit.audit_text(text).judged
    assert str(claim.reported) == "0.90"


WRONG = {
    "unknown kind": (dict(number(), kind="numbr"), "did you mean 'number'"),
    "unknown key": (dict(number(), metrik="x"), "'metrik' is unknown for a number .*did you mean 'metric'"),
    "no runs": ({k: v for k, v in number().items() if k != "runs"}, "it lacks runs"),
    "empty runs": (number(runs=[]), "runs holds no runs"),
    "a word": (number(runs=["high", 0.5]), "is 'high', no number"),
    "not a number": (number(runs=[float("nan")]), "no number"),
    "true": (dict(number(), reported=True), "reported is True"),
    "no precision": (number(metric="minutes"), "no precision is named for the metric 'minutes'"),
    "no claim": ("text", "it is no claim"),
    "unknown order": (
        {"claim": "c", "kind": "order", "expected": "bigger", "first": [1], "second": [2]},
        "it can be smaller",
    ),
    "no margin": (
        {"claim": "c", "kind": "order", "expected": "about the same", "first": [1], "second": [2]},
        "needs a margin",
    ),
    "no partner": (
        {"claim": "c", "kind": "order", "expected": "smaller", "first": {0: 1, 5: 1}, "second": {0: 2, 6: 1}},
        "no partner for 5, 6",
    ),
    "csv outside": (number(runs={"csv": "../secret.csv", "column": "x"}), "lies outside the folder"),
    "no csv": (number(runs={"csv": "none.csv", "column": "x"}), "none.csv is not there"),
    "no column": (number(runs={"csv": "runs.csv"}), "which column"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_in_a_sentence(name, tmp_path):
    row, said = WRONG[name]
    with pytest.raises(audit.AuditError, match=said):
        of(row, folder=tmp_path)


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("a,b\n1,2\n", "c", "no column 'c'.*it has a, b"),
        ("a,b\n1\n", "a", "line 2: it has more or fewer cells"),
        ("a,b\n", "a", "holds no runs"),
        ("a,b\nx,2\n", "a", "a holds 'x', no finite number"),
        ("a,b\ninf,2\n", "a", "no finite number"),
    ],
)
def test_what_is_wrong_in_a_csv_file_is_said_in_a_sentence(text, column, said, tmp_path):
    (tmp_path / "runs.csv").write_text(text, encoding="utf-8")
    with pytest.raises(audit.AuditError, match=said):
        of(number(runs={"csv": "runs.csv", "column": column}), folder=tmp_path)


def test_two_lines_of_one_seed_are_refused(tmp_path):
    (tmp_path / "runs.csv").write_text("seed,a\n1,2\n1,3\n", encoding="utf-8")
    with pytest.raises(audit.AuditError, match=r"the seed 1 stands in runs\.csv twice"):
        of(number(runs={"csv": "runs.csv", "column": "a", "seed": "seed"}), folder=tmp_path)


def test_all_mistakes_are_said_at_once():
    with pytest.raises(audit.AuditError) as error:
        of(dict(number(), kind="x"), number(runs=[]))
    assert [line.partition(":")[0] for line in str(error.value).splitlines()] == ["claim 1", "claim 2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: [", "line 1"),
        ("just words", "needs a list of claims"),
        ("claims: []", "needs a list of claims"),
        ("!!python/object/apply:os.system ['true']", "no YAML"),
        ("a: &a [x]\nb: *c", "no YAML"),
    ],
)
def test_what_is_no_report_is_refused_and_runs_nothing(text, said):
    with pytest.raises(audit.AuditError, match=said):
        audit.audit_text(text)


def test_one_run_says_nothing_about_scatter():
    ((_, verdict, note),) = of(number(runs=[audit.Decimal("0.9")])).judged
    assert verdict.status == "not yet tested" and "nothing about scatter" in note


def test_a_count_has_to_be_right_to_the_last_digit():
    right, wrong = ({"claim": "c", "kind": "count", "reported": 10, "counted": n} for n in (10, 11))
    assert [verdict.status for _, verdict, _ in of(right, wrong).judged] == ["agrees", "differs"]


def test_text_of_a_report_stays_text():
    html = of(dict(number(), claim="<script>alert(1)</script>"))._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;" in html
