"""The statistics behind the verdicts, each against a second witness: scipy, simulation, or counting."""

import math

import numpy as np
import pytest
import scipy.stats

from companion.evidence import intervals


def drawn_groups(rng, units, runs, between, within):
    """Values of runs of some units: what the unit adds, and what the seed adds."""
    return rng.normal(0, between, (units, 1)) + rng.normal(0, within, (units, runs))


@pytest.mark.parametrize(("between", "within"), [(1.0, 0.1), (1.0, 1.0), (0.2, 1.0)])
def test_the_nested_interval_covers_one_run_of_a_further_unit_in_95_of_100_cases(between, within):
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(2000):
        groups = drawn_groups(rng, 7, 5, between, within)
        found = intervals.nested_scatter(groups[:6].tolist())
        hits += abs(groups[6, 0] - found.centre) <= found.reach
    assert 0.935 < hits / 2000 < 0.975


def test_an_interval_from_the_means_of_units_misses_far_more_single_runs():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(2000):
        groups = drawn_groups(rng, 7, 5, 0.2, 1.0)
        found = intervals.scatter(groups[:6].mean(axis=1).tolist())
        hits += abs(groups[6, 0] - found.centre) <= found.reach
    assert hits / 2000 < 0.8  # what the first edition of the rules did with speakers


def test_the_nested_variance_is_that_of_the_analysis_of_variance():
    groups = [[1.0, 2.0, 4.0], [6.0, 5.0, 9.0], [3.0, 3.5, 1.0], [7.0, 8.0, 9.5]]
    k, m = 4, 3
    anova = scipy.stats.f_oneway(*groups)
    within = sum(np.var(group) * m for group in groups) / (k * (m - 1))
    between = (anova.statistic * within - within) / m  # the unit's own variance component
    expected = between * (1 + 1 / k) + within * (1 + 1 / (k * m))
    assert intervals.nested_scatter(groups).error ** 2 == pytest.approx(expected)
    assert intervals.nested_scatter(groups).deviation ** 2 == pytest.approx(between + within)


def test_where_seeds_add_nothing_nested_runs_are_as_many_as_their_units():
    groups = [[0.1, 0.1], [0.4, 0.4], [0.3, 0.3]]
    nested, plain = intervals.nested_scatter(groups), intervals.scatter([0.1, 0.4, 0.3])
    assert (nested.freedom, nested.reach) == pytest.approx((plain.freedom, plain.reach))
    assert intervals.nested_scatter([[0.2, 0.2], [0.2, 0.2]]).reach == 0


def test_holms_correction_is_the_step_down_of_the_textbook():
    ps = [0.01, 0.04, 0.03, 0.005]
    assert intervals.holm(ps) == pytest.approx([0.03, 0.06, 0.06, 0.02])  # 3·0.01, then 2·0.03 for both, 4·0.005
    assert intervals.holm([0.2]) == [0.2] and intervals.holm([]) == [] and intervals.holm([0.9, 0.8]) == [1.0, 1.0]


def test_holms_correction_lets_one_wrong_decision_pass_in_5_of_100_families_at_most():
    rng = np.random.default_rng(2)
    raw, corrected = 0, 0
    for ps in rng.uniform(size=(4000, 6)).tolist():
        raw += min(ps) < 0.05
        corrected += min(intervals.holm(ps)) < 0.05
    assert raw / 4000 > 0.24 and corrected / 4000 < 0.06


def decided(rng, n, effect, margin=None, cases=4000):
    """How often the 95 % interval of n simulated differences with deviation 1 decides the comparison."""
    values = rng.normal(effect, 1, (cases, n))
    reach = scipy.stats.t.ppf(0.975, n - 1) * values.std(axis=1, ddof=1) / math.sqrt(n)
    low, high = values.mean(axis=1) - reach, values.mean(axis=1) + reach
    if margin is None:
        return np.mean(low > 0)
    return np.mean((low > -margin) & (high < margin)) if effect < margin else np.mean(low > margin)


@pytest.mark.parametrize(("effect", "margin"), [(1.7, None), (0.5, None), (0.0, 0.8), (0.3, 1.2), (1.5, 0.7)])
def test_the_number_of_pairs_named_decides_in_80_of_100_simulated_cases_and_fewer_do_not(effect, margin):
    spread = 0.01
    differences = [spread * (effect + sign * math.sqrt(0.5)) for sign in (1, -1)]  # mean and deviation as wanted
    n = intervals.pairs_needed(differences, margin and margin * spread)
    rng = np.random.default_rng(3)
    assert decided(rng, n, effect, margin) == pytest.approx(0.82, abs=0.04)
    assert decided(rng, max(2, int(n * 0.75)), effect, margin) < 0.78


def test_a_difference_that_no_number_of_pairs_would_settle_has_none():
    assert intervals.pairs_needed([1.0, -1.0]) is None
    assert intervals.pairs_needed([0.0201, 0.0199, 5.0, -4.96], margin=0.02) is None


def test_a_correlation_needs_three_pairs_that_vary():
    first, second = [0.1, 0.4, 0.2, 0.9], [3.0, 1.0, 2.0, 0.5]
    assert intervals.correlation(first, second) == pytest.approx(scipy.stats.pearsonr(first, second).statistic)
    assert intervals.correlation(first[:2], second[:2]) is None
    assert intervals.correlation([1.0, 1.0, 1.0], second[:3]) is None
