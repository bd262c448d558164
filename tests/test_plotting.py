"""Plots are drawn on the axes they are given and show the numbers they are given."""

import matplotlib
import numpy as np
import pytest
import torch

from companion.training.history import History

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from companion import plot_confusion, plot_history, plot_spread, show_images, use_style
from companion.plotting import TRAIN, VAL


def history(shift=0.0):
    values = (0.1 + shift, 0.2 + shift)
    return History(values, values, values, values, values, values, (1.0, 1.0))


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_a_spread_shows_the_mean_and_a_band_from_lowest_to_highest():
    _, ax = plt.subplots()
    assert plot_spread([history(), history(0.2)], "accuracy", ax) is ax
    train, val = ax.lines
    np.testing.assert_allclose(train.get_ydata(), [0.2, 0.3])
    assert (train.get_color(), val.get_color()) == (TRAIN, VAL)
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((0.1, 0.4))


def test_one_run_has_no_band_and_none_says_so():
    _, (one, none) = plt.subplots(1, 2)
    plot_spread([history()], "loss", one)
    plot_spread([], "loss", none)
    assert not one.collections and none.texts[0].get_text() == "no recorded runs yet"


def test_a_history_is_drawn_as_accuracy_and_loss():
    accuracy, loss = plot_history(history())
    assert (accuracy.get_ylabel(), loss.get_ylabel()) == ("accuracy", "loss (cross-entropy)")


def test_images_are_shown_with_their_titles_and_spare_axes_stay_empty():
    axes = show_images(torch.zeros(3, 3, 4, 4, dtype=torch.uint8), ["a", "b", "c"], columns=2)
    assert [ax.get_title() for ax in axes.flat] == ["a", "b", "c", ""]
    assert axes.flat[0].images[0].get_array().shape == (4, 4, 3)


def test_a_confusion_matrix_shows_its_counts():
    ax = plot_confusion(np.array([[3, 1], [0, 2]]), ["cat", "dog"])
    assert [text.get_text() for text in ax.texts] == ["3", "1", "0", "2"]


def test_the_style_has_a_white_background():
    use_style()
    assert plt.rcParams["figure.facecolor"] == "white"
