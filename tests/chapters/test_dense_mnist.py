"""The chapter on dense networks and MNIST: what its own tests know of it."""

import json
import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import numpy as np
import pytest
import torch
from books import ROOT
from reading import counted, source, works_cited
from sklearn.neighbors import KNeighborsClassifier
from torch import nn

from companion import Split, load_digits
from companion.evidence import records
from companion.publish.notebooks import chapters

SIX = ["full", "quarter", "one layer", "sigmoid 0.2", "sigmoid 0.5", "sigmoid 0"]


def page(*starts):
    """The names that the page's cells with these beginnings define, once they have run."""
    names = {"torch": torch, "nn": nn}
    exec("from companion import predict", names)
    for start in starts:
        cell = next(c for c in chapters.code_cells(source("dense-mnist")) if c.source.startswith(start))
        exec(cell.source, names)
    return names


@pytest.fixture(scope="module")
def digits():
    """The embedded digits as floats between 0 and 1."""
    splits = load_digits()
    parts = {part: getattr(splits, part) for part in ("train", "val")}
    return {part: Split(split.images / 255, split.labels) for part, split in parts.items()}


# ------------------------------------------------------------------------------------------- what the page computes itself


def test_the_networks_have_the_weights_of_their_matrices_and_dropout_adds_none():
    build = page("def build")["build"]
    for hidden, widths in (((512, 512), (784, 512, 512, 10)), ((512,), (784, 512, 10)), ((), (784, 10))):
        for dropout in (0.0, 0.5):
            entries = sum(np.zeros((a + 1, b)).size for a, b in pairwise(widths))  # a row more for the biases
            assert sum(p.numel() for p in build(hidden, nn.Sigmoid, dropout).parameters()) == entries


def test_the_start_is_that_of_keras_within_the_bounds_of_glorot_and_with_biases_of_zero():
    names = page("def build")
    model = names["build"]((512,), nn.ReLU, 0.2)
    names["start_like_keras"](model)
    for layer in (model[1], model[4]):
        bound = (6 / sum(layer.weight.shape)) ** 0.5
        assert bound * 0.99 < layer.weight.abs().max() <= bound and layer.bias.abs().max() == 0


def test_the_nearest_image_is_the_one_that_scikit_learn_finds(digits):
    nearest = page("# @title Helpers: two")["nearest"]
    train, val = digits["train"], digits["val"]
    other = KNeighborsClassifier(1, algorithm="brute").fit(train.images.flatten(1).numpy(), train.labels.numpy())
    score = other.score(val.images.flatten(1).numpy(), val.labels.numpy())
    both = type("Both", (), digits)
    assert nearest(both) == pytest.approx(score) and 0.9 < score < 1


def test_the_tenths_of_confidence_add_up_to_all_images_and_to_the_accuracy(digits):
    names = page("def build", "# @title Helpers: two")
    torch.manual_seed(0)
    model = names["build"]((8,), nn.ReLU, 0.0)
    found = names["reliability"](model, digits["val"])
    with torch.no_grad():
        chances = model(digits["val"].images).softmax(1)
    right = (chances.argmax(1) == digits["val"].labels).sum()
    assert sum(found["bin_images"]) == len(digits["val"]) and sum(found["bin_right"]) == right
    assert sum(found["bin_confidence"]) == pytest.approx(chances.amax(1).sum().item(), rel=1e-5)
    means = [c / n for c, n in zip(found["bin_confidence"], found["bin_images"], strict=True) if n]
    assert means == sorted(means)


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    first, second = np.repeat([True, False], [99, 1]), np.repeat([True, False], [96, 4])
    assert counted("dense-mnist") == [(~second).sum() / (~first).sum()]


def test_the_picture_enlarges_both_strips_alike():
    drawing = ElementTree.parse(ROOT / "book" / "static" / "ideas" / "dense-mnist.svg").getroot()
    boxes = [box for box in drawing if box.tag.endswith("rect") and box.get("fill", "").startswith("var(--idea-accent")]
    heights = sorted(float(box.get("height")) for box in boxes)
    assert len(heights) == 4 and heights[3] / heights[2] == heights[1] / heights[0]


def test_the_file_that_carries_code_does_no_more_than_print():
    cell = next(c.source for c in chapters.code_cells(source("dense-mnist")) if "__reduce__" in c.source)
    assert re.findall(r"return (\w+), \(", cell) == ["print"]
    unsafe = [c.source for c in chapters.code_cells(source("dense-mnist")) if "weights_only=False" in c.source]
    assert unsafe == [cell] and 'folder / "gift.pt"' in cell


# ------------------------------------------------------------ what the page says of its record, read from the file itself


@pytest.fixture(scope="module")
def runs():
    """{network: {seed: the row of the record}}."""
    found = {}
    for row in json.loads((records.FOLDER / "dense-mnist.json").read_text(encoding="utf-8"))["runs"]:
        found.setdefault(row["setting"]["network"], {})[row["seed"]] = row
    return found


def accuracy(row):
    return row["history"]["val_accuracy"][-1]


def errors(rows):
    return np.mean([1 - accuracy(row) for row in rows.values()])


def differences(first, second):
    return np.array([accuracy(first[seed]) - accuracy(second[seed]) for seed in sorted(first.keys() & second.keys())])


def lowest(rows):
    """The epoch of the lowest validation loss of each run, counted from 0."""
    return np.array([np.argmin(row["history"]["val_loss"]) for row in rows.values()])


def overshoot(rows):
    """How much more often these runs are sure than right, on average."""
    shares = [
        (sum(row["extras"]["bin_confidence"]) - sum(row["extras"]["bin_right"])) / 10_000 for row in rows.values()
    ]
    return np.mean(shares)


def test_the_runs_are_those_of_the_whole_of_mnist_and_each_tenth_is_counted_on_its_test_images(runs):
    for rows in runs.values():
        for row in rows.values():
            assert row["parameters"]["dataset"] == "mnist" and len(row["history"]["val_loss"]) == 20
            assert sum(row["extras"]["bin_images"]) == 10_000
            assert sum(row["extras"]["bin_right"]) == pytest.approx(10_000 * accuracy(row))


def test_all_images_are_ahead_of_every_network_on_a_quarter_in_each_run(runs):
    for name in SIX[1:]:
        assert min(differences(runs["full"], runs[name])) > 0, name


def test_a_quarter_costs_little_in_points_and_more_than_half_of_the_errors_again(runs):
    assert 0 < np.mean(differences(runs["full"], runs["quarter"])) < 0.02
    assert errors(runs["quarter"]) > 1.5 * errors(runs["full"])


def test_one_layer_of_relu_does_not_stand_behind_two(runs):
    assert errors(runs["one layer"]) <= errors(runs["quarter"])


def test_sigmoid_units_learn_more_slowly_and_their_loss_is_near_its_lowest_at_the_end(runs):
    sigmoids = [name for name in SIX if name.startswith("sigmoid")]
    fits = {name: np.mean([row["history"]["train_accuracy"][-1] for row in runs[name].values()]) for name in SIX}
    assert max(fits[name] for name in sigmoids) < min(fits[name] for name in SIX if name not in sigmoids)
    for name in sigmoids:
        ends = [row["history"]["val_loss"] for row in runs[name].values()]
        assert np.mean([curve[-1] / min(curve) for curve in ends]) < 1.15, name
    assert max(np.mean(lowest(runs[name])) for name in SIX if name not in sigmoids) < 12


def test_the_three_dropouts_lie_within_a_point_of_each_other(runs):
    means = [errors(runs[name]) for name in SIX if name.startswith("sigmoid")]
    assert max(means) - min(means) < 0.01


def test_with_all_images_the_loss_rises_after_a_few_epochs_and_in_most_runs_the_accuracy_too(runs):
    assert np.mean(lowest(runs["full"])) < 8
    gains = []
    for row, turn in zip(runs["full"].values(), lowest(runs["full"]), strict=True):
        history = row["history"]
        assert history["val_loss"][-1] > history["val_loss"][turn] + 0.02
        gains.append(history["val_accuracy"][-1] - history["val_accuracy"][turn])
    assert sum(gain > 0 for gain in gains) > len(gains) / 2 and np.mean(gains) > 0


def test_networks_with_relu_are_more_often_sure_than_right_and_the_sigmoid_exaggerates_less(runs):
    assert 0 < overshoot(runs["sigmoid 0.2"]) < overshoot(runs["full"]) and overshoot(runs["quarter"]) > 0


def test_the_network_is_better_than_the_nearest_image_on_all_and_on_a_quarter(runs):
    for name in ("full", "quarter"):
        assert all(accuracy(row) > row["extras"]["nearest"] for row in runs[name].values())


# ------------------------------------------------------------------------------------------------------------------------


def test_the_works_that_it_builds_on_lead_back_to_it():
    assert {"hestness2017deep", "guo2017calibration", "lecun1998gradient"} <= works_cited("dense-mnist")


WORDS = ["learning curve", "checkpoint", "pickle", "h5", "save model", "state_dict", "calibration"]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/dense-mnist" in search(words)
