"""The chapter on dropout: what its own tests know of it."""

import json
from statistics import mean, stdev

import pytest
import torch
from reading import counted, works_cited
from scipy.stats import t
from torch import nn

from companion.evidence import records


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    torch.manual_seed(0)
    survivor = nn.Dropout(0.25).train()(torch.full((100,), 3.0)).max().item()
    assert counted("dropout") == [survivor]


# ------------------------------------------------------------ what the page says of its record, read from the file itself


@pytest.fixture(scope="module")
def curves():
    """curves(rate, hidden, learning_rate) -> {seed: the history of the run} on the book's own split."""
    rows = json.loads((records.FOLDER / "dropout.json").read_text(encoding="utf-8"))["runs"]

    def select(rate, hidden=32, learning_rate=1e-3):
        setting = {"rate": rate, "hidden": hidden, "learning_rate": learning_rate}
        own = [row for row in rows if row["parameters"].get("split", 0) == 0 and row["setting"] == setting]
        return {row["seed"]: row["history"] for row in own}

    return select


def last(metric):
    return lambda history: history[metric][-1]


def gap(history):
    return history["train_accuracy"][-1] - history["val_accuracy"][-1]


def lowest(history):
    return min(history["val_loss"])


def differences(reading, first, second):
    return [reading(first[seed]) - reading(second[seed]) for seed in sorted(first.keys() & second.keys())]


def interval(values):
    reach = t.ppf(0.975, len(values) - 1) * stdev(values) / len(values) ** 0.5
    return mean(values) - reach, mean(values) + reach


def average(reading, histories):
    return mean(map(reading, histories.values()))


def test_the_gap_narrows_with_the_rate_in_every_seed(curves):
    for lower, higher in ((0.0, 0.25), (0.25, 0.5), (0.5, 0.75)):
        assert max(differences(gap, curves(higher), curves(lower))) < 0


def test_the_loss_after_the_last_epoch_is_lower_with_dropout_and_the_lowest_loss_is_not(curves):
    assert interval(differences(last("val_loss"), curves(0.5), curves(0.0)))[1] < 0
    assert interval(differences(lowest, curves(0.5), curves(0.0)))[0] > 0


def test_a_rate_of_a_quarter_has_the_highest_accuracy_and_a_loss_close_to_that_of_a_half(curves):
    accuracy = {rate: average(last("val_accuracy"), curves(rate)) for rate in (0.0, 0.25, 0.5, 0.75)}
    assert max(accuracy, key=accuracy.get) == 0.25
    assert abs(average(last("val_loss"), curves(0.25)) - average(last("val_loss"), curves(0.5))) < 0.05


def test_the_wide_layer_gains_accuracy_by_dropout_in_every_pair_and_its_lowest_loss_on_average(curves):
    with_dropout, without = curves(0.5, hidden=128), curves(0.0, hidden=128)
    gains = differences(last("val_accuracy"), with_dropout, without)
    assert min(gains) > 0 and interval(gains)[0] > 0
    assert interval(differences(last("val_loss"), with_dropout, without))[1] < 0
    assert mean(differences(lowest, with_dropout, without)) < 0


def test_the_smaller_learning_rate_turns_the_order_of_the_losses_round(curves):
    slow = {"learning_rate": 3e-4}
    assert interval(differences(last("val_loss"), curves(0.5, **slow), curves(0.0, **slow)))[0] > 0


def test_the_best_epochs_come_later_with_the_rate_and_without_dropout_the_loss_is_at_its_best_before_the_accuracy(
    curves,
):
    def by_loss(history):
        return history["val_loss"].index(min(history["val_loss"]))

    def by_accuracy(history):
        return history["val_accuracy"].index(max(history["val_accuracy"]))

    epochs = [average(by_loss, curves(rate)) for rate in (0.0, 0.25, 0.5, 0.75)]
    assert epochs == sorted(epochs) and epochs[0] < average(by_accuracy, curves(0.0)) < 20


# ------------------------------------------------------------------------------------------------------------------------


def test_the_works_that_it_builds_on_lead_back_to_it():
    cited = works_cited("dropout")
    assert {"krizhevsky2009learning", "bishop1995training", "hinton2012improving"} <= cited


WORDS = [
    "overfitting",
    "underfitting",
    "dropout",
    "learning rate",
    "regularization",
    "hyperparameters",
    "confidence interval",
    "early stopping",
]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/dropout" in search(words)
