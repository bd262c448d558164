"""The comparison with the ledger, against worked examples and against scipy."""

import json
import math
from dataclasses import asdict
from decimal import Decimal

import numpy as np
import pytest
import scipy.stats

from companion import (
    about_same,
    check_count,
    check_metric,
    check_metric_parts,
    check_order,
    judge,
    larger,
    load_claims,
    placebo,
    smaller,
)
from companion.evidence import verdicts
from companion.evidence.ledger import Claim
from companion.evidence.verdicts import CountMismatch, Part


def test_a_count_agrees_or_differs_and_our_own_mistake_is_refused():
    assert check_count("A-vgg-fc1", (7 * 7 * 512 + 1) * 4096).status == "agrees"
    assert check_count("A-vgg-conv1-1", (3 * 3 * 3 + 1) * 64).status == "differs"
    with pytest.raises(CountMismatch, match="A-vgg-fc1"):
        check_count("A-vgg-fc1", 1)


@pytest.mark.parametrize(
    ("computed", "status"), [(25_162, "agrees"), (25_500, "agrees"), (25_501, "differs"), (24_499, "differs")]
)
def test_an_about_count_has_to_agree_at_its_printed_digits(computed, status):
    assert check_count("A-gap-params", computed).status == status


def test_a_list_of_counts_agrees_only_when_all_do():
    assert check_count("E-xor-params", [6, 3, 9]).status == "agrees"
    claim = Claim("x", "E", "c", "count", reported=[6, 3, 9])
    assert not verdicts._same_count(claim, [6, 3, 9], [6, 3, 8])
    assert not verdicts._same_count(claim, [6, 3, 9], [6, 3])


def test_the_prediction_interval_equals_scipys_for_one_further_run():
    values = [0.64, 0.66, 0.65, 0.67, 0.63]
    verdict = check_metric("A-drop50-acc-val", dict(enumerate(values)))
    predictive = scipy.stats.t(4, loc=np.mean(values), scale=np.std(values, ddof=1) * math.sqrt(1 + 1 / 5))
    assert verdict.interval == pytest.approx((predictive.ppf(0.025) - 0.005, predictive.ppf(0.975) + 0.005))
    of_mean = scipy.stats.t.interval(0.95, 4, loc=np.mean(values), scale=scipy.stats.sem(values))
    assert verdict.mean_interval == pytest.approx(of_mean)
    assert (verdict.status, verdict.n) == ("agrees", 5)


def test_the_prediction_interval_covers_a_further_run_in_95_of_100_cases():
    rng = np.random.default_rng(0)
    runs = rng.normal(0.65, 0.01, size=(4000, 6))
    hits = 0
    for *known, further in runs:
        low, high = check_metric("A-drop50-acc-val", known).interval
        hits += low + 0.005 <= further <= high - 0.005  # without the widening by half a digit
    assert 0.94 < hits / len(runs) < 0.96


@pytest.mark.parametrize(("value", "status"), [(0.6549, "agrees"), (0.6449, "differs"), (0.6551, "differs")])
def test_half_of_the_last_printed_digit_is_allowed(value, status):
    assert check_metric("A-drop50-acc-val", [value, value]).status == status  # 0.65 ± 0.005, no spread


def test_one_run_is_too_few_for_a_verdict():
    verdict = check_metric("A-drop50-acc-val", {0: 0.65})
    assert (verdict.status, verdict.interval) == ("not yet tested", None)


def test_a_paired_comparison_equals_scipys_paired_t_test():
    a, b = {0: 0.10, 1: 0.13, 2: 0.11}, {0: 0.20, 1: 0.24, 2: 0.25, 3: 9.0}
    comparison = smaller("gap", a, b)
    reference = scipy.stats.ttest_rel(list(a.values()), [0.20, 0.24, 0.25]).confidence_interval(0.95)
    assert comparison.interval == pytest.approx((reference.low, reference.high))
    assert (comparison.status, comparison.n, comparison.pointing) == ("holds", 3, 3)
    assert larger("gap", a, b).status == "reversed"
    assert smaller("gap", {0: 0.1, 1: 0.3}, {0: 0.2, 1: 0.2}).status == "undecided"


def test_about_the_same_needs_the_whole_interval_within_the_margin():
    base = {0: 0.60, 1: 0.61, 2: 0.62}
    assert about_same("acc", base, {k: v + 0.001 * k for k, v in base.items()}, 0.02).status == "holds"
    assert about_same("acc", base, {k: v + 0.1 + 0.001 * k for k, v in base.items()}, 0.02).status == "reversed"
    assert about_same("acc", base, {0: 0.58, 1: 0.65, 2: 0.60}, 0.02).status == "undecided"


def test_an_ordering_in_parts_is_mixed_as_soon_as_one_part_is_reversed():
    a, b = {0: 0.1, 1: 0.11, 2: 0.1}, {0: 0.2, 1: 0.22, 2: 0.21}
    assert check_order("A-drop-gap", smaller("x", a, b), smaller("y", a, b)).status == "holds"
    assert check_order("A-drop-gap", smaller("x", a, b), larger("y", a, b)).status == "mixed"
    undecided = smaller("z", {0: 0.1, 1: 0.3}, {0: 0.2, 1: 0.2})
    assert check_order("A-drop-gap", smaller("x", a, b), undecided).status == "holds, the rest undecided"
    assert check_order("A-drop-gap", undecided, larger("y", a, b)).status == "mixed"
    assert check_order("A-drop-gap", undecided, undecided).status == "undecided"
    assert check_order("A-drop-gap", larger("x", a, b)).status == "reversed"
    assert check_order("A-drop-gap", smaller("x", a, b), smaller("y", {0: 1}, {0: 2})).status == "not yet tested"
    assert check_order("A-drop-gap").status == "not yet tested"


def test_a_count_that_no_report_prints_is_reproduced():
    assert check_count("E-vgg16-params", load_claims()["E-vgg16-params"].correct).status == "reproduced"


def test_a_metric_row_with_several_numbers_is_refused_by_name():
    with pytest.raises(ValueError, match="C-best-epochs states 7, 3"):
        check_metric("C-best-epochs", [7.0, 8.0])


def test_a_number_about_unnamed_data_is_compared_on_each_of_ours():
    near, far = [0.60, 0.61, 0.59], [0.80, 0.81, 0.79]
    verdict = check_metric_parts("C-rnn-acc-test", {"names": near, "reviews": far})
    assert (verdict.status, verdict.n) == ("agrees in part", 3)
    alone = check_metric("C-rnn-acc-test", near)
    assert f"names: 0.600, one further run {alone.interval[0]:.3f} to {alone.interval[1]:.3f}" in verdict.evidence
    assert check_metric_parts("C-rnn-acc-test", {"names": near, "reviews": near[::-1]}).status == "agrees"
    few = check_metric_parts("C-rnn-acc-test", {"names": near, "reviews": near[:2]})
    assert few.status == "agrees, the rest too wide to tell"
    assert check_metric_parts("C-rnn-acc-test", {"names": far}).status == "differs"
    assert check_metric_parts("C-rnn-acc-test", {"names": near, "reviews": [0.6]}).status == "not yet tested"
    assert check_metric_parts("C-rnn-acc-test", {}).status == "not yet tested"


def test_each_of_a_rows_several_numbers_is_compared_with_its_own_runs():
    parts = {"recurrent": (7, [7, 7, 7, 8]), "convolutional": (3, [8, 9, 9, 10])}
    assert check_metric_parts("C-best-epochs", parts, epochs=20).status == "agrees in part"
    with pytest.raises(ValueError, match="states 7, 3, not 5"):
        check_metric_parts("C-best-epochs", {"recurrent": (5, [6, 7])})


def test_pairs_need_not_be_seeds():
    comparison = larger("acc", {"ann": 0.9, "bob": 0.8}, {"ann": 0.5, "bob": 0.4}, units="speakers")
    assert "in 2 of 2 speakers" in str(comparison)


def test_rows_and_statuses_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="no row"):
        check_count("A-nothing", 1)
    with pytest.raises(ValueError, match="kind"):
        check_metric("A-vgg-fc1", [1, 2])
    with pytest.raises(ValueError, match="none of"):
        judge("A-vgg-138m", "maybe", "because")


@pytest.mark.parametrize(
    ("signs", "word"),
    [
        ("+", "supported"),
        ("++", "supported"),
        ("+0", "undecided"),
        ("00", "undecided"),
        ("+-", "not supported"),
        ("0-", "not supported"),
        ("", "not tested"),
    ],
)
def test_a_statement_is_what_the_comparisons_that_it_rests_on_show(signs, word):
    """In the first editions a statement that nobody had shown was "not supported", as if the opposite had been."""
    second = {seed: 0.5 for seed in range(5)}
    first = {"+": 0.6, "-": 0.4, "0": 0.5}
    compared = [
        larger("acc", {seed: first[sign] + (0.01, -0.01)[seed % 2] for seed in second}, second) for sign in signs
    ]
    verdict = judge("A-best-three", None, "seen", *compared)
    assert verdict.status == word and [type(part) for part in verdict.parts] == [Part] * len(signs)
    assert [part.measured for part in verdict.parts] == [comparison.difference for comparison in compared]


@pytest.mark.parametrize("computed", [(6, 3, 9), [6, 3, 9], np.array([6, 3, 9]), [np.int64(6), 3, np.float32(9)]])
def test_a_tuple_or_an_array_of_counts_equals_a_list(computed):
    assert check_count("E-xor-params", computed).status == "agrees"
    with pytest.raises(CountMismatch, match=r"recomputed \[6, 3, 8\], but the ledger says \[6, 3, 9\]"):
        check_count("E-xor-params", (6, 3, 8))


def test_counts_of_numpy_are_kept_as_pythons_own_so_that_they_can_be_written_as_json():
    assert type(check_count("A-gap-params", np.int64(25_162)).measured) is int
    assert [type(count) for count in check_count("E-xor-params", np.array([6, 3, 9])).measured] == [int] * 3


def test_one_number_never_equals_a_list():
    claim = Claim("x", "E", "c", "count", reported=6)
    assert not verdicts._same_count(claim, 6, [6]) and not verdicts._same_count(claim, [6], 6)


@pytest.mark.parametrize("bad", [math.nan, math.inf, np.float64("nan"), None])
def test_a_value_that_is_no_finite_number_is_refused_with_the_run_it_belongs_to(bad):
    fine = {0: 0.6, 3: 0.7}
    with pytest.raises(
        ValueError, match=r"^A-drop50-acc-val: the value of seed 3 is (nan|inf|None), no finite number: look"
    ):
        check_metric("A-drop50-acc-val", {0: 0.65, 3: bad})
    with pytest.raises(ValueError, match=r"^A-drop50-acc-val: the value of run number 2 is"):
        check_metric("A-drop50-acc-val", [0.65, bad])
    with pytest.raises(ValueError, match=r"^C-rnn-acc-test, names: the value of run number 1 is"):
        check_metric_parts("C-rnn-acc-test", {"reviews": [0.6, 0.7], "names": [bad, 0.6]})
    for compare in (smaller, larger, about_same):
        with pytest.raises(ValueError, match=r"^loss, second of the two: the value of seed 3 is"):
            compare("loss", fine, {0: 0.6, 3: bad})
    with pytest.raises(ValueError, match=r"^loss, first of the two: the value of ann is"):
        larger("loss", {"ann": bad, "bob": 1.0}, {"ann": 0.5, "bob": 0.4}, units="speakers")


def test_small_errors_are_shown_with_the_digits_that_decide():
    first = {seed: 0.00031 + 0.00001 * seed for seed in range(3)}
    second = {seed: value + 0.0001 for seed, value in first.items()}
    text = str(smaller("MAE", first, {seed: value + 1e-6 * seed for seed, value in second.items()}))
    assert text == "MAE smaller: difference -0.0001010 (-0.0001035 to -0.0000985), in 3 of 3 seeds: holds"


def test_an_interval_of_the_width_of_accuracies_has_three_decimals_and_one_around_24_has_one():
    values = [0.64, 0.66, 0.65, 0.67, 0.63]
    evidence = check_metric("A-drop50-acc-val", values).evidence
    assert evidence == "n = 5; one further run: 0.597 to 0.703; the mean: 0.630 to 0.670"
    assert (
        "one further run: 16.0 to 31.3; the mean: 19.9 to 27.5"
        in check_metric("E-boston-mse", [22.0, 24.0, 25.025], precision=5).evidence
    )


def with_scatter(n, centre, deviation):
    """n values with exactly this mean and standard deviation."""
    shape = np.arange(n) - (n - 1) / 2
    return list(centre + deviation * shape / shape.std(ddof=1))


def test_an_interval_wider_than_the_precision_named_in_advance_is_too_wide_to_tell():
    """One further run must lie within 0.05: with five runs of deviation 0.02 it lies within 0.0608, with 0.016 within 0.0486."""
    assert check_metric("A-drop50-acc-val", with_scatter(5, 0.65, 0.02)).status == "too wide to tell"
    assert check_metric("A-drop50-acc-val", with_scatter(5, 0.65, 0.016)).status == "agrees"
    assert check_metric("A-drop50-acc-val", with_scatter(5, 0.65, 0.02), precision=0.07).status == "agrees"


def test_a_number_outside_its_interval_differs_however_wide_that_is():
    assert check_metric("A-drop50-acc-val", with_scatter(5, 0.40, 0.07)).status == "differs"


def test_a_metric_without_a_precision_is_refused():
    with pytest.raises(ValueError, match="no precision is named for the metric 'mse'"):
        check_metric("E-boston-mse", [20.0, 21.0])


@pytest.mark.parametrize("claim", ["A-drop50-acc-val", "A-drop50-loss-val"])
def test_fewer_runs_of_the_same_mean_and_scatter_never_help_a_report(claim):
    """ "agrees" with few runs stays so with more, and "differs" with many never becomes "agrees" with fewer."""
    reported = float(load_claims()[claim].reported)
    words = set()
    for distance in np.linspace(0, 0.2, 21):
        for deviation in (0.005, 0.01, 0.015, 0.03, 0.06):
            found = [
                check_metric(claim, with_scatter(n, reported + distance, deviation)).status
                for n in (2, 3, 4, 5, 7, 15, 60)
            ]
            words |= set(found)
            agreed = found.index("agrees") if "agrees" in found else len(found)
            assert set(found[agreed:]) <= {"agrees"}, (distance, deviation, found)
    assert words == {"agrees", "differs", "too wide to tell"}


def test_a_true_report_seldom_differs_and_an_untrue_one_seldom_agrees():
    rng = np.random.default_rng(4)
    words = {}
    for shift in (0, 0.05):
        runs = rng.normal(0.65, 0.01, (800, 5))
        given = rng.normal(0.65 + shift, 0.01, 800)  # what a report with another seed would print
        moved = runs - given[:, None] + 0.65  # the ledger's number stands still, so the runs move
        words[shift] = [check_metric("A-drop50-acc-val", list(row)).status for row in moved]
    share = {shift: {word: found.count(word) / 800 for word in set(found)} for shift, found in words.items()}
    assert share[0]["differs"] < 0.05 and share[0]["agrees"] > 0.8
    assert share[0.05].get("agrees", 0) < 0.12


def test_an_interval_never_leaves_the_range_of_what_it_measures():
    accuracy = check_metric("C-cnn-acc-train", [0.99, 1.0, 0.98])
    assert accuracy.interval[1] == 1 and accuracy.mean_interval[1] == 1 and accuracy.parts[0].limits == (0, 1)
    loss = check_metric("A-drop0-loss-train", [0.02, 0.30, 0.10])
    assert loss.interval[0] == 0 and loss.parts[0].limits == (0, None)
    rng = np.random.default_rng(5)
    for runs in rng.integers(1, 21, (50, 4)).tolist():
        (part,) = check_metric_parts("C-best-epochs", {"lstm": (7, runs)}, epochs=20).parts
        assert 1 <= part.interval[0] <= part.interval[1] <= 20


def test_cutting_an_interval_at_the_end_of_its_range_makes_it_no_more_precise():
    """The interval 0.902 to 1.048 is cut at 1; half of what is left would be less than 0.05."""
    verdict = check_metric("C-rnn-acc-train", with_scatter(5, 0.975, 0.024))
    assert (verdict.interval[1] - verdict.interval[0]) / 2 < 0.055 and verdict.status == "too wide to tell"


def test_the_interval_of_a_best_epoch_covers_a_further_run_though_epochs_crowd_at_the_last():
    """Epochs 1 to 20 of skewed kinds; half of a printed epoch is allowed on each side, so a little more than 95 of 100."""
    rng = np.random.default_rng(6)
    for centre, spread in ((0.0, 0.5), (2.0, 1.0), (-1.5, 0.7)):
        hits = 0
        for scaled in rng.normal(centre, spread, (300, 6)):
            *runs, further = np.clip(np.round(20 / (1 + np.exp(-scaled)) + 0.5), 1, 20).astype(int).tolist()
            (part,) = check_metric_parts("C-best-epochs", {"x": (7, runs)}, epochs=20).parts
            hits += part.interval[0] - 0.001 <= further <= part.interval[1] + 0.001
        assert 0.91 < hits / 300 <= 1


def test_of_best_epochs_it_is_said_how_many_single_runs_came_as_early():
    verdict = check_metric_parts("C-best-epochs", {"lstm": (7, [5, 7, 9, 12])}, epochs=20)
    assert verdict.parts[0].values == (5, 7, 9, 12) and verdict.parts[0].reported == 7


def test_one_further_run_of_a_speaker_scatters_by_speaker_and_seed():
    speakers = {k: {seed: 0.55 + 0.01 * k + 0.03 * (seed - 1) for seed in range(3)} for k in range(4)}
    verdict = check_metric("C-rnn-acc-test", speakers, units="speakers")
    means = check_metric("C-rnn-acc-test", [np.mean(list(runs.values())) for runs in speakers.values()])
    assert verdict.measured == pytest.approx(means.measured)
    assert verdict.interval[0] < means.interval[0] and verdict.interval[1] > means.interval[1]
    assert (verdict.n, verdict.parts[0].units) == (12, "runs of 4 speakers")
    assert "12 runs of 4 speakers, " in verdict.evidence and "degrees of freedom" in verdict.evidence
    assert check_metric("C-rnn-acc-test", {"ann": {0: 0.6, 1: 0.7}}).status == "not yet tested"
    assert check_metric("C-rnn-acc-test", {"ann": {0: 0.6}, "bob": {0: 0.7}}).status == "not yet tested"
    with pytest.raises(ValueError, match="C-rnn-acc-test, bob: the value of seed 1 is nan"):
        check_metric("C-rnn-acc-test", {"ann": {0: 0.6, 1: 0.7}, "bob": {0: 0.6, 1: math.nan}})


def test_a_number_that_agrees_only_through_half_a_digit_is_marked():
    exact = with_scatter(50, 0.6475, 0.001)  # 0.65 lies 2.5 deviations away, and 0.645 lies inside
    close = check_metric("A-drop50-acc-val", exact)
    assert close.parts[0].half_digit and close.status == "agrees" and "half of the last printed digit" in close.evidence
    assert not check_metric("A-drop50-acc-val", with_scatter(50, 0.65, 0.001)).parts[0].half_digit


def test_p_is_below_one_in_twenty_exactly_where_the_verdict_says_so():
    rng = np.random.default_rng(7)
    for shift, deviation in rng.uniform((0.0, 0.002), (0.12, 0.05), (80, 2)):
        verdict = check_metric("A-drop50-acc-val", list(rng.normal(0.65 + shift, deviation, 5)))
        assert (verdict.parts[0].p < 0.05) == (verdict.status == "differs")
        a = dict(enumerate(rng.normal(0, deviation, 5)))
        b = dict(enumerate(rng.normal(shift / 2, deviation, 5)))
        for comparison in (smaller("x", a, b), about_same("x", a, b, 0.04)):
            assert (comparison.p < 0.05) == (comparison.status != "undecided")


def test_the_p_of_parts_is_that_of_scipy_and_is_corrected_for_all_of_them():
    a, b = {0: 0.10, 1: 0.13, 2: 0.11}, {0: 0.20, 1: 0.24, 2: 0.25}
    c = {0: 0.12, 1: 0.12, 2: 0.20}
    verdict = check_order("A-drop-gap", smaller("x", a, b), smaller("y", a, c))
    ps = [scipy.stats.ttest_rel(list(a.values()), list(other.values())).pvalue for other in (b, c)]
    assert [part.p for part in verdict.parts] == pytest.approx(ps)
    assert [part.p_holm for part in verdict.parts] == pytest.approx([2 * ps[0], max(2 * ps[0], ps[1])])
    assert verdict.parts[0].correlation == pytest.approx(scipy.stats.pearsonr(list(a.values()), list(b.values()))[0])
    assert verdict.parts[0].values == pytest.approx((-0.10, -0.11, -0.14))


def test_an_undecided_part_says_how_many_pairs_would_decide_and_a_decided_one_does_not():
    a, b = {0: 0.1, 1: 0.3, 2: 0.2}, {0: 0.2, 1: 0.31, 2: 0.19}
    undecided = smaller("x", a, b)
    assert undecided.needed > 3 and f"about {undecided.needed} would decide" in str(undecided)
    assert smaller("x", {0: 0.1, 1: 0.12}, {0: 0.5, 1: 0.52}).needed is None
    hopeless = smaller("x", {0: 0.1, 1: 0.2}, {0: 0.2, 1: 0.1})
    assert hopeless.needed is None and "not even 10,000 would decide" in str(hopeless)


def test_a_verdict_survives_being_written_as_json():
    verdict = check_metric_parts("C-best-epochs", {"lstm": (7, [6, 7, 9]), "conv": (3, [2, 3])}, epochs=20)
    order = check_order("A-drop-gap", smaller("x", {0: 1.0, 1: 2.0, 2: 2.5}, {0: 2.0, 1: 2.5, 2: 2.4}))
    for made in (verdict, order, check_metric("C-rnn-acc-test", [0.5, 0.6])):
        row = json.loads(json.dumps(asdict(made)))
        again = verdicts.Verdict.from_row(row)
        assert again.parts and json.dumps(asdict(again)) == json.dumps(asdict(made))
    assert (
        verdicts.Verdict.from_row({"claim_id": "x", "status": "holds"}).parts == ()
    )  # as notebooks of the first edition have


def test_a_count_with_decimals_is_compared_at_its_printed_digits():
    mebibytes = load_claims()["A-vgg-bytes"].correct / 2**20
    verdict = check_count("A-vgg-mib", mebibytes)
    assert (verdict.status, verdict.measured) == ("differs", "527.8")
    with pytest.raises(CountMismatch, match=r"527\.9"):
        check_count("A-vgg-mib", 527.9)
    claim = Claim("x", "E", "c", "count", reported=Decimal("527.8"))
    assert verdicts._same_count(claim, claim.reported, 527.849) and not verdicts._same_count(
        claim, claim.reported, 527.851
    )


def test_the_placebo_counts_the_reports_other_networks_that_would_agree_as_well():
    wide, narrow = with_scatter(5, 0.65, 0.06), with_scatter(5, 0.65, 0.003)
    others = [
        float(c.reported)
        for c in load_claims().values()
        if c.id.startswith("A-") and c.metric == "accuracy" and c.split == "val" and c.id != "A-drop50-acc-val"
    ]
    assert placebo(check_metric("A-drop50-acc-val", wide)) == (sum(0.4 < x < 0.9 for x in others), len(others))
    assert placebo(check_metric("A-drop50-acc-val", narrow)) == (sum(x == 0.66 for x in others), len(others))
    assert placebo(check_count("A-vgg-fc1", 102_764_544)) is None
