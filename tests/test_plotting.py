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


def history(shift=0.0, metrics=("loss", "accuracy")):
    values = (0.1 + shift, 0.2 + shift)
    return History(
        {f"{part}_{metric}": values for part in ("running", "train", "val") for metric in metrics}, (1.0, 1.0)
    )


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


@pytest.mark.parametrize(
    ("metrics", "labels"),
    [(("loss",), ["loss"]), (("loss", "mse", "mae"), ["mae", "mse", "loss"]), (("loss", "top_5"), ["top 5", "loss"])],
)
def test_a_history_is_drawn_with_the_metrics_that_it_has_the_loss_last(metrics, labels):
    axes = plot_history(history(metrics=metrics))
    assert [ax.get_ylabel() for ax in axes] == labels


def test_a_history_wants_axes_for_each_of_its_metrics():
    with pytest.raises(ValueError, match="has accuracy, loss: give 2 axes, not 3"):
        plot_history(history(), plt.subplots(1, 3)[1])


def test_a_page_may_give_the_label_of_an_axis():
    ax = plot_spread([history()], "loss", label="loss (squared error)")
    assert ax.get_ylabel() == "loss (squared error)"


def test_runs_of_different_lengths_are_not_averaged():
    longer = History({name: (*curve, 1.0) for name, curve in history().curves.items()}, (1.0,) * 3)
    with pytest.raises(ValueError, match="runs of 2 and 3 epochs have no common mean"):
        plot_spread([history(), longer], "loss")


def test_a_metric_that_was_not_measured_is_answered_with_those_that_were():
    with pytest.raises(AttributeError, match=r"no curve 'train_mae'; it has .*train_accuracy"):
        plot_spread([history()], "mae")


def test_the_colours_have_public_names_and_the_style_uses_them():
    import companion

    colours = [getattr(companion, name) for name in ("TRAIN", "VAL", "GREEN", "PLUM", "INK")]
    assert tuple(colours) == companion.PALETTE
    use_style()
    cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    assert [matplotlib.colors.to_hex(colour) for colour in cycle] == colours


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
