"""Plots are drawn on the axes they are given and show the numbers they are given."""

import matplotlib
import numpy as np
import pytest
import torch

from companion.training.history import History

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from companion import (
    Run,
    plot_confusion,
    plot_history,
    plot_readings,
    plot_spread,
    readings_table,
    show_images,
    use_style,
)
from companion.plotting import GREEN, PLUM, TRAIN, VAL


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


def test_panels_that_share_a_legend_show_it_once():
    _, axes = plt.subplots(2, 2)
    for ax in axes.flat:
        plot_spread([history(), history(0.2)], "loss", ax)
    assert [ax.get_legend().get_visible() for ax in axes.flat] == [True, False, False, False]


def test_panels_with_other_words_keep_their_legend():
    _, (first, second) = plt.subplots(1, 2)
    first.plot([1, 2], label="something else")
    first.legend()
    plot_spread([history()], "loss", second)
    assert second.get_legend().get_visible()


def run_of(accuracy, loss, seed=0):
    curves = {"accuracy": accuracy, "loss": loss}
    return Run({}, seed, History({f"{part}_{name}": curves[name] for part in ("train", "val") for name in curves}))


TWO = [run_of((0.1, 0.5, 0.5, 0.4), (3, 1, 2, 4)), run_of((0.1, 0.2, 0.3, 0.6), (3, 2, 1, 2), seed=1)]


def dots(ax, colour):
    """{(x, y): size} of the dots of one colour."""
    found = [line for line in ax.lines if line.get_color() == colour]
    return {(line.get_xdata()[0], line.get_ydata()[0]): line.get_markersize() for line in found}


def test_readings_show_the_best_epoch_of_each_run_by_accuracy_and_by_loss_and_the_last():
    ax = plot_readings({"plain": TWO, "dropout": TWO[:1]})
    assert [(label.get_text(), label.get_position()[1]) for label in ax.get_yticklabels()] == [
        ("plain", 0),
        ("dropout", 1),
    ]
    assert [(x, round(y)) for x, y in dots(ax, GREEN)] == [(2, 0), (4, 0), (2, 1)]  # the earlier of two equal epochs
    assert [(x, round(y)) for x, y in dots(ax, PLUM)] == [(2, 0), (3, 0), (2, 1)]
    assert {text.get_text() for text in ax.get_legend().get_texts()} >= {"last epoch"}
    means = [
        x
        for lines in ax.collections
        for (x, top), (other, bottom) in lines.get_segments()
        if x == other and top != bottom
    ]
    assert means[:3] == [4, 3, 2.5]  # the last epoch, the means by accuracy and by loss


def test_a_dot_where_several_runs_meet_has_the_area_of_as_many_dots():
    many = dots(plot_readings({"all": [TWO[0]] * 4}), GREEN)
    one = dots(plot_readings({"all": TWO}), GREEN)
    assert list(many.values()) == [pytest.approx(2 * size) for size in list(one.values())[:1]]


def test_a_group_without_runs_says_so_and_no_group_draws_nothing():
    ax = plot_readings({"plain": TWO, "later": []})
    assert "no recorded runs yet" in [text.get_text() for text in ax.texts]
    assert not plot_readings({}).texts


def test_readings_can_be_drawn_for_any_number_of_groups_and_runs_of_any_length():
    longer = run_of((0.1,) * 9, (2,) * 9)
    ax = plot_readings({f"group {n}": [*TWO, longer] for n in range(9)})
    assert len(ax.get_yticklabels()) == 9 and ax.get_xlim()[1] > 9
    assert plot_readings({"one": TWO}, ax=plt.subplots()[1]).figure is plt.gcf()


def test_the_table_of_readings_holds_the_means_over_the_runs():
    (row,) = readings_table({"plain": TWO, "later": []}).to_dict("records")
    assert row == {
        "group": "plain",
        "best epoch by accuracy": 3,
        "its accuracy": 0.55,
        "best epoch by loss": 2.5,
        "its loss": 1,
        "last accuracy": 0.5,
        "last loss": 3,
        "runs": 2,
    }


@pytest.mark.parametrize("read", [plot_readings, readings_table])
def test_runs_without_an_accuracy_have_no_best_epoch_by_accuracy(read):
    with pytest.raises(ValueError, match="runs of 'tones' measured loss, mae and no accuracy"):
        read({"tones": [Run({}, 0, history(metrics=("loss", "mae")))]})


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


def test_panels_of_one_row_that_share_their_axis_name_it_once():
    _, axes = plt.subplots(2, 2, sharey="row")
    for ax in axes.flat:
        plot_spread([history()], "accuracy", ax)
    assert [ax.get_ylabel() for ax in axes.flat] == ["accuracy", "", "accuracy", ""]
    _, apart = plt.subplots(1, 2)
    assert [plot_spread([history()], "accuracy", ax).get_ylabel() for ax in apart] == ["accuracy"] * 2
