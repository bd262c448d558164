"""The chapter on losses and skips: what its own tests know of it, by a second witness and from the record itself."""

import json
import re
import xml.etree.ElementTree as ElementTree
from math import tanh
from statistics import mean

import numpy as np
import pytest
import torch
from books import ROOT
from reading import counted, source, works_cited
from torch import nn
from torch.nn import functional as F

from companion import count_parameters, l2_penalty, shrink_factor
from companion.evidence import records
from companion.publish.notebooks import chapters

CODE = [cell.source for cell in chapters.code_cells(source("losses-and-skips"))]


def cell_with(words):
    (found,) = [code for code in CODE if words in code]
    return found


@pytest.fixture(scope="module")
def page():
    """The page's own networks and functions, without its trainings."""
    names = {"nn": nn, "torch": torch, "F": F}
    for words in ("def build(", "def fresh(", "def train_xor("):
        exec(cell_with(words), names)
    return names


def test_the_number_that_a_reader_counts_is_that_of_a_network():
    hidden, output = nn.Linear(5, 1), nn.Linear(1 + 5, 1)
    assert counted("losses-and-skips") == [count_parameters(nn.ModuleList([hidden, output])).total]


def test_a_constant_answer_has_an_mse_of_nine_hundredths_and_no_constant_has_less(page):
    labels = torch.arange(10).repeat(7)
    errors = [page["mse"](torch.full((70, 10), constant), labels).item() for constant in (0.05, 0.1, 0.15)]
    assert errors[1] == pytest.approx(0.09) and min(errors) == errors[1]


def test_at_the_constant_answer_cross_entropy_pulls_five_times_as_hard(page):
    gradients = {}
    for name, constant in (("mse", 0.1), ("cce", 0.0)):
        outputs = torch.full((4, 10), constant, dtype=torch.float64, requires_grad=True)
        page["LOSSES"][name](outputs, torch.tensor([0, 3, 3, 9])).backward()
        gradients[name] = outputs.grad
    assert torch.allclose(gradients["cce"], 5 * gradients["mse"])


def test_the_optimiser_of_the_page_shrinks_weights_as_the_penalty_does_and_leaves_biases(page):
    torch.manual_seed(0)
    model = page["build"]()
    weights, biases = [model[1].weight, model[3].weight], [model[1].bias, model[3].bias]
    before = [part.detach().clone() for part in weights + biases]
    (0 * l2_penalty(weights + biases, 1.0)).backward()
    torch.optim.SGD([{"params": weights, "weight_decay": 2 * 0.05}, {"params": biases}], lr=0.1).step()
    for part, old, factor in zip(weights + biases, before, [shrink_factor(0.1, 0.05)] * 2 + [1, 1], strict=True):
        assert torch.allclose(part.detach(), old * factor)


@pytest.mark.parametrize("skip", [False, True])
def test_hundreds_at_once_are_trained_as_one_by_one_with_pytorchs_layers(page, skip):
    start = page["fresh"](skip, "Keras", 5)
    penalty = torch.full((5,), 0.01, dtype=torch.float64)
    got, losses = page["train_xor"](start, page["CORNERS"], skip, penalty, epochs=60)
    for k in range(5):
        hidden, output = nn.Linear(2, len(start[1][k])).double(), nn.Linear(len(start[2][k]), 1).double()
        parts = [hidden.weight, hidden.bias, output.weight, output.bias]
        with torch.no_grad():
            for part, drawn in zip(parts, start, strict=True):
                part.copy_(drawn[k].reshape(part.shape))
        optimizer = torch.optim.SGD(
            [{"params": [parts[0], parts[2]], "weight_decay": 0.02}, {"params": [parts[1], parts[3]]}], lr=0.1
        )
        for _ in range(60):
            h = torch.tanh(hidden(page["CORNERS"]))
            read = torch.cat([h, page["CORNERS"]], 1) if skip else h
            loss = F.mse_loss(torch.tanh(output(read))[:, 0], page["TARGETS"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        assert losses[k].item() == pytest.approx(loss.item() + 0, abs=1e-12)
        for part, batched in zip(parts, got, strict=True):
            assert torch.allclose(part.detach().flatten(), batched[k].flatten(), atol=1e-12)


@pytest.mark.parametrize("rule", ["Keras", "PyTorch"])
@pytest.mark.parametrize("skip", [False, True])
def test_starts_are_drawn_as_keras_and_pytorch_draw_them(page, rule, skip):
    w, b, v, c = page["fresh"](skip, rule, 4000)
    hidden, n = (1, 3) if skip else (2, 2)
    if rule == "PyTorch":
        torch.manual_seed(0)
        layers = [(nn.Linear(2, hidden), nn.Linear(n, 1)) for _ in range(1500)]
        witness = [[layer.weight, layer.bias] for pair in layers for layer in pair]
        largest = [max(part[k].abs().max().item() for part in witness[first::2]) for first in (0, 1) for k in (0, 1)]
    else:  # Keras' glorot_uniform: ±sqrt(6 / (inputs + outputs)); biases zero
        largest = [(6 / (2 + hidden)) ** 0.5, 0, (6 / (n + 1)) ** 0.5, 0]
    assert [part.abs().max().item() for part in (w, b, v, c)] == pytest.approx(largest, rel=0.01, abs=1e-12)


@pytest.mark.parametrize("skip", [False, True])
def test_a_network_for_one_coding_has_an_equal_for_the_other(page, skip):
    w, b, v, c = network = page["fresh"](skip, "PyTorch", 50)
    other = [2 * w, b - w.sum(2), v.clone(), c.clone()]  # x = 2z - 1
    if skip:
        other[2][:, 1:], other[3] = 2 * v[:, 1:], c - v[:, 1:].sum(1)
    corners = page["CORNERS"]
    same = page["outputs"](network, corners, skip), page["outputs"](other, (corners + 1) / 2, skip)
    assert torch.allclose(*same)


def test_dead_ends_of_the_two_kinds_have_the_losses_that_the_page_names():
    targets = np.array([-1, 1, 1, -1])
    assert np.mean((np.array([0, 0, 1, -1]) - targets) ** 2) == 0.5
    assert np.mean((np.array([-1, 1, -1, -1]) - targets) ** 2) == 1.0


def test_the_curves_of_the_picture_lead_through_the_targets():
    picture = ElementTree.parse(ROOT / "book" / "static" / "ideas" / "xor-bend.svg").getroot()
    dots = [(float(d.get("data-sum")), float(d.get("data-target"))) for d in picture.iter() if d.get("data-sum")]
    assert sorted(set(dots)) == [(-2, -1), (0, 1), (2, -1)] and len(dots) == 6
    two = lambda s: tanh(3 * (s + 1)) - tanh(3 * (s - 1)) - 1  # noqa: E731
    one = lambda s: 2 * tanh(3 * (s + 1)) - s - 1  # noqa: E731
    for s, target in dots:
        assert two(s) == pytest.approx(target, abs=0.02) and one(s) == pytest.approx(target, abs=0.02)
    curves = [p for p in picture.iter() if p.get("stroke-width") == "3"]
    for curve, value in zip(curves, (two, one), strict=True):
        places = [tuple(map(float, pair.split())) for pair in re.sub("[ML]", "|", curve.get("d")).strip("|").split("|")]
        x0, y0 = places[len(places) // 2][0], 150
        for x, y in places:
            assert (y0 - y) / 30 == pytest.approx(value((x - x0) / 27), abs=0.02)


# ------------------------------------------------------------ what the page says of its record, read from the file itself


@pytest.fixture(scope="module")
def runs():
    """{(loss, λ, optimiser): {seed: the row of the record}}."""
    found = {}
    for row in json.loads((records.FOLDER / "losses-and-skips.json").read_text(encoding="utf-8"))["runs"]:
        setting = row["setting"]
        assert row["parameters"]["dataset"] == "cifar10" and setting["activation"] == "sigmoid"
        found.setdefault((setting["loss"], setting["penalty"], setting["optimizer"]), {})[row["seed"]] = row
    return found


def last(rows, metric):
    return [row["history"][metric][-1] for row in rows.values()]


def test_every_comparison_rests_on_five_seeds(runs):
    assert all(len(rows) >= 5 for rows in runs.values())
    assert set(runs) == {(loss, p, "sgd") for loss in ("mse", "cce") for p in (0.0, 0.05)} | {("cce", 0.0, "adam")}


def test_with_mse_and_the_printed_penalty_the_network_is_a_constant_and_with_cce_something_is_left(runs):
    dead, left = runs["mse", 0.05, "sgd"], runs["cce", 0.05, "sgd"]
    assert max(last(dead, "val_accuracy")) < 0.12 and all(abs(x - 0.09) < 0.002 for x in last(dead, "val_loss"))
    assert min(last(left, "val_accuracy")) > 0.15 and max(row["extras"]["squares"] for row in dead.values()) < 0.01
    assert max(last(left, "val_accuracy")) < min(last(runs["cce", 0.0, "sgd"], "val_accuracy"))


def test_the_surviving_axis_fits_the_accuracy_of_mse_without_a_penalty_and_nothing_else(runs):
    fits = []
    for (loss, p, optimizer), rows in runs.items():
        if optimizer == "sgd":
            squares = mean(row["extras"]["squares"] for row in rows.values())
            readings = mean(last(rows, "val_accuracy")), mean(last(rows, "val_loss")) + p * squares
            fits += [(loss, p, k) for k, x in zip(("accuracy", "cost"), readings, strict=True) if 0.28 <= x <= 0.40]
    assert fits == [("mse", 0.0, "accuracy")]


def test_cross_entropy_is_ahead_of_mse_in_every_seed(runs):
    for p in (0.0, 0.05):
        mse, cce = runs["mse", p, "sgd"], runs["cce", p, "sgd"]
        for seed in mse:
            assert cce[seed]["history"]["val_accuracy"][-1] > mse[seed]["history"]["val_accuracy"][-1]


def test_no_activation_costs_a_tenth_of_a_step(runs):
    rows = [row["extras"] for group in runs.values() for row in group.values()]
    least = {name: min(row[f"seconds_{name}"] for row in rows) for name in ("relu", "sigmoid", "tanh")}
    assert max(least.values()) < 1.1 * min(least.values())


# ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_order_of_the_two_networks_turns_with_the_coding_of_keras_start(page):
    wins = {}
    for skip in (False, True):
        for name, points in (("±1", page["CORNERS"]), ("0/1", (page["CORNERS"] + 1) / 2)):
            network, _ = page["train_xor"](page["fresh"](skip, "Keras", 400, seed=5), points, skip, torch.zeros(400))
            right = (page["outputs"](network, points, skip) * page["TARGETS"] > 0).all(1)
            wins[skip, name] = right.double().mean().item()
    assert wins[False, "±1"] > wins[True, "±1"] + 0.05 and wins[True, "0/1"] > wins[False, "0/1"] + 0.05


def test_the_works_that_it_builds_on_lead_back_to_it():
    assert {"glorot2010understanding", "krogh1991simple", "loshchilov2019decoupled"} <= works_cited("losses-and-skips")


WORDS = ["weight decay", "xor"]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/losses-and-skips" in search(words)
