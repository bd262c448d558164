"""The chapter on transfer learning: what its own tests know of it."""

from statistics import mean

import numpy as np
import pytest
from reading import counted
from scipy.stats import ttest_rel

from companion import load_record


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    """Products for one image over eight epochs, with and without keeping what the backbone made of it."""
    backbone, last, epochs = 1000, 10, 8
    recomputed = sum(backbone + 2 * last for _ in range(epochs))
    kept = backbone + sum(2 * last for _ in range(epochs))
    assert counted("transfer-learning") == [recomputed - kept]


def read(labels, arm, metric):
    """The metric after the last epoch, or of that name in the extras, of each recorded run: an array."""
    runs = load_record("transfer-learning").select(labels=labels, arm=arm)
    return np.array([run.extras[metric] if metric in run.extras else run.last(metric) for run in runs])


def sign(one, other):
    """1 where the first is surely larger, -1 where it is surely smaller, 0 where a paired t test at 5 % cannot tell."""
    difference = ttest_rel(one, other)
    return 0 if difference.pvalue > 0.05 else int(np.sign(difference.statistic))


def overfits(labels, arm="full"):
    """(by accuracy, by loss): is more gained over the head alone in training than in the test?"""
    seeds = len(read(labels, arm, "val_loss"))
    gains = {
        metric: read(labels, arm, metric) - read(labels, "last", metric)[:seeds]
        for metric in ("train_accuracy", "val_accuracy", "train_loss", "val_loss")
    }
    by_loss = sign(-gains["train_loss"], -gains["val_loss"])
    return sign(gains["train_accuracy"], gains["val_accuracy"]), by_loss


def test_retraining_everything_overfits_the_groups_by_both_readings_and_the_ages_by_accuracy_alone():
    assert overfits("group") == (1, 1)
    assert overfits("age") == (1, -1)


def test_the_head_alone_hits_more_ages_than_the_blind_guess_and_is_a_worse_forecast():
    blind = read("age", "blind", "val_loss")[0]
    heads = load_record("transfer-learning").select(labels="age", arm="last")
    assert all(min(run.history.val_loss) > blind for run in heads)
    assert read("age", "last", "val_accuracy").mean() > read("age", "blind", "val_accuracy")[0]


def test_the_groups_gain_surely_in_the_test_and_the_ages_not():
    tests = {labels: [read(labels, arm, "val_accuracy") for arm in ("full", "last")] for labels in ("age", "group")}
    assert (sign(*tests["group"]), sign(*tests["age"])) == (1, 0)
    years = read("age", "last", "mae").mean() - read("age", "full", "mae").mean()
    assert 1.5 < years < 3.5


def test_the_rate_decides_for_the_ages():
    """Ten times as fast, the whole network overfits less than the head alone, and is better in the test."""
    assert overfits("age", "full-fast")[0] == -1
    assert sign(read("age", "full-fast", "val_accuracy"), read("age", "last", "val_accuracy")[:3]) == 1
    for labels in ("age", "group"):
        plain = read(labels, "full", "val_accuracy").mean()
        assert all(read(labels, arm, "val_accuracy").mean() < plain for arm in ("gradual", "slow-backbone"))
    arms = ("full", "gradual", "slow-backbone", "full-fast")
    assert all(overfits("group", arm)[0] == 1 for arm in arms)


def test_what_imagenet_taught_pays_where_the_backbone_may_move():
    group = {arm: read("group", arm, "val_accuracy").mean() for arm in ("last", "full", "scratch")}
    assert group["last"] < group["scratch"] + 0.01 and group["full"] > max(group["last"], group["scratch"]) + 0.04
    hits, off = ([read("age", arm, metric).mean() for arm in ("scratch", "full")] for metric in ("val_accuracy", "mae"))
    assert hits[0] > hits[1] and off[0] > off[1] + 2


@pytest.mark.parametrize("arm", ["last", "full"])
def test_more_than_half_of_the_gain_by_four_groups_is_the_blind_guesss_too(arm):
    blind, gained = (
        mean(read("group", kind, "val_accuracy")) - mean(read("age", kind, "val_accuracy")) for kind in ("blind", arm)
    )
    assert blind > gained / 2


def test_a_year_of_tolerance_nearly_doubles_the_hits_and_half_the_guesses_lie_within_five():
    exact, one, _, five, _ = np.mean(read("age", "full", "within"), 0)
    assert 1.7 < one / exact < 2.05 and 0.45 < five < 0.55


def test_ages_with_few_faces_are_hardly_hit_and_near_duplicates_mostly_have_other_ages():
    census = load_record("transfer-learning").select(labels="age", arm="blind")[0].extras
    examples, tested = np.array(census["examples"]), np.array(census["val_examples"])
    right = np.mean(read("age", "full", "right_of_age"), 0)
    assert right[examples < 10].sum() / tested[examples < 10].sum() < 0.05
    many = (examples >= 50) & (examples < examples.max())
    assert right[many].sum() / tested[many].sum() < 0.2 and examples.argmax() + 1 == 26
    assert np.mean(np.array(census["copies_apart"]) > 0) > 0.5


def test_the_oldest_are_found_least_by_the_whole_network():
    assert np.mean(read("group", "full", "group_recall"), 0).argmin() == 3
