"""The comparison with the ledger, against worked examples and against scipy."""

import math

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
    smaller,
)
from companion.evidence import verdicts
from companion.evidence.ledger import Claim
from companion.evidence.verdicts import CountMismatch


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
