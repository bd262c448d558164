"""The chapter on autograd and backpropagation: what its own tests know of it."""

import json
import random
import re
from statistics import mean

import numpy as np
import pytest
import torch
from books import ROOT
from reading import counted, works_cited

from companion.evidence import records

LINEAR, HIDDEN = "linear", "hidden"


@pytest.fixture(scope="module")
def page():
    """The names that the page's cells with the engine, the functions and the two networks define."""
    source = (ROOT / "book" / "autograd-and-backprop.md").read_text(encoding="utf-8")
    cells = re.findall(r"```\{code-cell\} ipython3\n(.*?)```", source, re.S)
    names = {"np": np, "torch": torch, "nn": torch.nn, "F": torch.nn.functional}
    for beginning in (
        "class Value",
        "def in_order",
        "def f(",
        "def quotients",
        "def build",
        "def gradients_by",
        "def stops_at",
    ):
        (cell,) = [cell for cell in cells if cell.startswith(beginning)]
        exec(cell, names)
    return names


# ------------------------------------------------------------------------------------------------------------ the engine


def random_expression(numbers, rng, relu):
    """A number made of these ones by twenty random sums, products and ReLUs, each of which may use any earlier one."""
    made = list(numbers)
    for _ in range(20):
        first, second = rng.choice(made), rng.choice(made)
        made.append(
            rng.choice([lambda a, b: a + b, lambda a, b: 0.5 * a * b, lambda a, b: relu(a) + 2 * b])(first, second)
        )
    return sum(made[1:], made[0])


@pytest.mark.parametrize("seed", range(40))
def test_the_engine_gives_the_gradients_that_pytorch_gives(page, seed):
    points = [random.Random(seed).uniform(-1, 1) for _ in range(3)]
    mine = [page["Value"](point) for point in points]
    output = random_expression(mine, random.Random(seed), lambda value: value.relu())
    page["backward"](output)
    theirs = [torch.tensor(point, dtype=torch.float64, requires_grad=True) for point in points]
    expected = random_expression(theirs, random.Random(seed), torch.relu)
    slopes = torch.autograd.grad(expected, theirs)
    assert output.data == pytest.approx(expected.item(), rel=1e-12)
    assert [value.grad for value in mine] == pytest.approx([slope.item() for slope in slopes], rel=1e-10)


def test_walking_back_twice_does_not_count_twice(page):
    x = page["Value"](2)
    output = x * x + 1
    page["backward"](output)
    page["backward"](output)
    assert x.grad == 4


def test_a_chain_longer_than_pythons_stack_is_walked(page):
    x = total = page["Value"](1)
    for _ in range(5000):
        total = total + x
    page["backward"](total)
    assert x.grad == 5001


def test_a_relu_at_zero_passes_nothing_as_in_pytorch(page):
    for point in (-1.0, 0.0, 1.0):
        x, same = page["Value"](point), torch.tensor(point, requires_grad=True)
        page["backward"](x.relu())
        torch.relu(same).backward()
        assert x.grad == same.grad.item()


def test_the_engine_has_about_forty_lines(page):
    source = (ROOT / "book" / "autograd-and-backprop.md").read_text(encoding="utf-8")
    cells = [cell for cell in re.findall(r"```\{code-cell\} ipython3\n(.*?)```", source, re.S)]
    engine = [c for c in cells if c.startswith(("class Value", "def in_order"))]
    lines = [line for cell in engine for line in cell.splitlines() if line.strip() and '"""' not in line]
    assert 30 <= len(lines) <= 45


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    x = torch.tensor(3.0, requires_grad=True)
    (x * x * 2 + x).backward()
    assert counted("autograd-and-backprop") == [x.grad.item()]


# ---------------------------------------------------------------------------------------- difference quotients, and deltas


def test_the_error_of_a_difference_quotient_is_a_v_whose_right_arm_has_the_slopes_of_the_page(page):
    def fourth(x, y):
        return page["f"](x, y) ** 2

    steps, exact = 10.0 ** np.arange(-16, 0.25, 0.25), 4 * 0.9**3
    for found, order in zip(page["quotients"](fourth, 0.6, 0.3, steps), (1, 2), strict=True):
        error = np.abs(found - exact) / exact
        best = error.argmin()
        assert 10 < best < len(steps) - 8 and error[0] > 1e3 * error[best] and error[-1] > 1e3 * error[best]
        right = error[-6:-2]  # from 1e-1.25 to 1e-0.5
        assert np.diff(np.log10(right)).mean() / 0.25 == pytest.approx(order, abs=0.25)
    assert 1e-6 < steps[error.argmin()] < 1e-3 and error.min() < 1e-9, "the central one"


def test_of_f_itself_the_central_difference_is_exact_whatever_the_step(page):
    _, central = page["quotients"](page["f"], 0.5, 0.25, np.array([1.0, 0.5, 0.125]))
    assert np.array_equal(central, [1.5, 1.5, 1.5])


def test_the_deltas_by_hand_are_the_difference_quotients_of_the_loss(page):
    torch.manual_seed(1)
    model, inputs, labels = (
        page["build"](HIDDEN, 9).double(),
        torch.randn(6, 9).double(),
        torch.tensor([0, 1, 1, 0, 1, 0]),
    )
    layers = model[1], model[3]
    weights, biases = zip(*((layer.weight.detach(), layer.bias.detach()) for layer in layers), strict=True)
    found = page["gradients_by_hand"](inputs, labels, weights, biases)
    for parameters, gradients in zip((weights, biases), found, strict=True):
        for parameter, gradient in zip(parameters, gradients, strict=True):
            flat = parameter.view(-1)
            for place in range(0, len(flat), max(1, len(flat) // 25)):
                values = []
                for step in (1e-5, -2e-5, 1e-5):
                    flat[place] += step
                    values.append(page["squared"](model(inputs), labels).item())
                assert (values[0] - values[1]) / 2e-5 == pytest.approx(gradient.reshape(-1)[place].item(), abs=1e-9)


def test_the_rule_stops_at_the_first_quiet_window_and_not_in_a_noisy_one(page):
    stops_at = page["stops_at"]
    falling = [1 / epoch for epoch in range(1, 101)]
    assert stops_at(falling, 0.02) == min(e for e in range(50, 101) if 1 / (e - 49) - 1 / e <= 0.02)
    assert (
        stops_at([0.0, 1.0] * 50, 0.5) is None and stops_at([1.0] * 49, 0.5) is None and stops_at([1.0] * 50, 0) == 50
    )


# ------------------------------------------------------------ what the page says of its record, read from the file itself


@pytest.fixture(scope="module")
def runs():
    """{(network, loss, learning rate): {seed: the row of the record}}."""
    found = {}
    for row in json.loads((records.FOLDER / "autograd-and-backprop.json").read_text(encoding="utf-8"))["runs"]:
        setting = row["setting"]
        found.setdefault((setting["network"], setting["loss"], setting["learning_rate"]), {})[row["seed"]] = row
    return found


def wrong(row, part="val"):
    return 1 - row["history"][f"{part}_accuracy"][-1]


def own(runs, network):
    return runs[network, "squared", 1e-3]


def test_the_width_alone_is_right_every_time_and_the_classes_do_not_meet(runs):
    for row in own(runs, LINEAR).values():
        extras = row["extras"]
        assert extras["by_width"] == 1
        assert extras["ends_second"][1] < extras["ends_first"][0]
        assert sum(extras["widths_first"]) == 800 and sum(extras["widths_second"]) == 798


def test_no_network_and_no_rule_on_pixels_is_right_every_time(runs):
    rows = [row for chosen in runs.values() for row in chosen.values()]
    assert min(map(wrong, rows)) > 0
    others = ("grey", "corners", "border", "small", "pixels", "ridge", "shape")
    assert max(row["extras"][f"by_{rule}"] for row in own(runs, LINEAR).values() for rule in others) < 1


def test_the_shape_of_the_frame_does_about_as_well_as_the_linear_network(runs):
    rows = own(runs, LINEAR).values()
    assert abs(mean(row["extras"]["by_shape"] for row in rows) - mean(1 - wrong(row) for row in rows)) < 0.02


def test_the_hidden_layer_makes_fewer_errors_in_every_split(runs):
    linear, hidden = own(runs, LINEAR), own(runs, HIDDEN)
    assert len(linear) >= 5 and linear.keys() == hidden.keys()
    assert all(wrong(hidden[seed]) < wrong(linear[seed]) for seed in linear)


def test_least_squares_is_worse_than_the_linear_network_that_stopped_early_and_ridge_is_not(runs):
    rows = own(runs, LINEAR).values()
    assert all(row["extras"]["by_pixels"] < 1 - wrong(row) for row in rows)
    assert abs(mean(row["extras"]["by_ridge"] for row in rows) - mean(1 - wrong(row) for row in rows)) < 0.01


def test_the_chosen_rate_is_below_the_limit_and_ten_times_it_is_above(runs):
    assert all(1e-3 < 2 / row["extras"]["curvature"] < 1e-2 for row in own(runs, LINEAR).values())


def stops(page, chosen, threshold):
    """{seed: the training error where the rule stops} of the runs that it stops."""
    curves = {seed: row["history"]["train_loss"] for seed, row in chosen.items()}
    places = {seed: page["stops_at"](curve, threshold) for seed, curve in curves.items()}
    return {seed: curves[seed][place - 1] for seed, place in places.items() if place}


def test_with_a_tenth_of_the_rate_the_rule_stops_at_a_much_higher_error(runs, page):
    for network in (LINEAR, HIDDEN):
        fast, slow = own(runs, network), runs[network, "squared", 1e-4]
        assert len(slow) == 5
        for threshold in (0.02, 0.01):
            quick, late = stops(page, fast, threshold), stops(page, slow, threshold)
            assert quick.keys() == fast.keys() and late.keys() == slow.keys()
            assert all(late[seed] > 1.5 * quick[seed] for seed in slow)


def test_the_rule_stops_above_the_error_that_is_reached_later_and_not_every_run_at_the_smallest_threshold(runs, page):
    for network in (LINEAR, HIDDEN):
        chosen = own(runs, network)
        for threshold in (0.02, 0.01):
            assert all(
                error > chosen[seed]["history"]["train_loss"][-1]
                for seed, error in stops(page, chosen, threshold).items()
            )
    assert len(stops(page, own(runs, LINEAR), 0.005)) < len(own(runs, LINEAR))


def test_in_most_splits_the_linear_network_is_at_its_best_on_test_pictures_before_the_hundredth_epoch(runs):
    curves = [row["history"]["val_accuracy"] for row in own(runs, LINEAR).values()]
    early = [curve.index(max(curve)) + 1 < 100 and max(curve) > curve[-1] for curve in curves]
    assert sum(early) > len(curves) / 2


def test_with_a_tenth_of_the_rate_both_networks_fit_their_training_pictures_worse(runs):
    for network in (LINEAR, HIDDEN):
        fast, slow = own(runs, network), runs[network, "squared", 1e-4]
        assert all(wrong(slow[seed], "train") > wrong(fast[seed], "train") for seed in slow)


def test_the_border_is_right_far_more_often_than_guessing(runs):
    assert all(row["extras"]["by_border"] > 0.8 for row in own(runs, LINEAR).values())


def test_the_works_that_it_builds_on_lead_back_to_it():
    assert "rumelhart1986learning" in works_cited("autograd-and-backprop")


WORDS = ["autograd", "backpropagation", "deltas", "gradient checking", "Theano", "spurious correlation"]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/autograd-and-backprop" in search(words)
