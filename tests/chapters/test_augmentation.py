"""The chapter on augmentation: what its own tests know of it."""

import numpy as np
import pytest
import torch
from reading import counted
from scipy.stats import ttest_1samp
from torch import nn

from companion import load_record


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    """Distinct windows of an image with a margin of 2, plain and mirrored."""
    padded = nn.functional.pad(torch.arange(1.0, 65).view(8, 8), (2, 2, 2, 2))
    windows = [padded[top : top + 8, left : left + 8] for top in range(5) for left in range(5)]
    variants = {tuple(w.flatten().tolist()) for window in windows for w in (window, window.flip(1))}
    assert counted("augmentation") == [len(variants)]


def runs(name, epochs):
    if (name, epochs) == ("none", 29):
        return load_record("depth").select(blocks=3)
    return load_record("augmentation").select(augmentation=name, epochs=epochs)


def differences(epochs, measure):
    """Augmented minus plain, for each seed that both have."""
    one, other = ({run.seed: measure(run.history) for run in runs(n, epochs)} for n in ("crop_and_flip", "none"))
    return np.array([one[seed] - other[seed] for seed in sorted(set(one) & set(other))])


def side(values):
    """-1 or 1 where the 95 % interval of the mean lies below or above zero, 0 where it holds zero."""
    low, high = ttest_1samp(values, 0).confidence_interval(0.95)
    return 1 if low > 0 else -1 if high < 0 else 0


def at_lowest_loss(metric):
    return lambda history: getattr(history, metric)[int(np.argmin(history.val_loss))]


def test_accuracy_is_about_the_same_and_yet_lower_and_what_memorises_less_is_seen_in_every_seed():
    accuracy = differences(29, lambda h: h.val_accuracy[-1])
    low, high = ttest_1samp(accuracy, 0).confidence_interval(0.95)
    assert low > -0.02 and high < 0
    assert (differences(29, lambda h: h.train_accuracy[-1]) < 0).all()
    assert side(differences(29, lambda h: h.val_loss[-1])) == 0


def test_after_twice_the_epochs_accuracy_and_loss_are_better_in_every_pair():
    assert (differences(58, lambda h: h.val_accuracy[-1]) > 0).all()
    assert (differences(58, lambda h: h.val_loss[-1]) < 0).all()


def test_all_four_words_change_when_the_epoch_of_the_lowest_loss_is_read():
    for epochs in (29, 58):
        for metric in ("val_accuracy", "val_loss"):
            last = side(differences(epochs, lambda h, m=metric: getattr(h, m)[-1]))
            assert last != side(differences(epochs, at_lowest_loss(metric))), (epochs, metric)


def test_the_running_accuracy_lies_below_the_validation_accuracy_with_augmentation_and_without():
    for name in ("none", "crop_and_flip"):
        assert all(run.last("running_accuracy") < run.last("val_accuracy") for run in runs(name, 29))


WORDS = ["data augmentation"]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/augmentation" in search(words)
