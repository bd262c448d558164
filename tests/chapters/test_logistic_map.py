"""The chapter on the logistic map: its functions, its picture, and what it says of its record, computed in other ways."""

import ast
import json
import math
import re
import xml.etree.ElementTree as ElementTree
from statistics import mean, median, stdev

import numpy as np
import pytest
import torch
from books import ROOT
from reading import counted, source, works_cited
from scipy.stats import t
from torch import nn

from companion import Split, Splits
from companion.data.splits import fingerprint
from companion.evidence import records
from companion.publish.notebooks import chapters

SIZES = (1_000, 100, 20, 8)


@pytest.fixture(scope="module")
def page():
    """The functions and the network of the page, taken from its own cells."""
    names = {"np": np, "torch": torch, "nn": nn, "Split": Split, "Splits": Splits, "fingerprint": fingerprint}
    for cell in chapters.code_cells(source("logistic-map")):
        if "%pip" not in cell.source:
            wanted = [node for node in ast.parse(cell.source).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
            exec(compile(ast.Module(wanted, []), "logistic-map", "exec"), names)
    return names


# --------------------------------------------------------------------------------------------- what the page refuses


@pytest.mark.parametrize("start", [-0.1, 1.1, math.nan, math.inf])
def test_an_orbit_that_would_run_to_minus_infinity_is_refused(page, start):
    with pytest.raises(ValueError, match="every start of an orbit lies between 0 and 1"):
        page["orbit"](page["logistic"], [0.3, start], 5)


@pytest.mark.parametrize("points", [0, -8, 7, 1_001, 2_000, 12.5])
def test_a_number_of_points_that_does_not_fill_the_rows_evenly_is_refused(page, points):
    with pytest.raises(ValueError, match="points must be 1 to 1,000 and divide 5,000"):
        page["draw"](points, 0.0, 0)


@pytest.mark.parametrize("noise", [-0.1, math.nan])
def test_a_noise_below_nothing_is_refused(page, noise):
    with pytest.raises(ValueError, match="a standard deviation is at least 0"):
        page["draw"](20, noise, 0)


# ----------------------------------------------------------------------------------------------- what the page computes


def test_smaller_training_sets_are_the_beginnings_of_larger_ones_and_the_test_points_are_shared(page):
    sets = {size: page["draw"](size, 0.1, 3) for size in SIZES}
    for size, splits in sets.items():
        assert len(splits.train) == 5_000 and len(splits.val) == 1_000
        assert len(splits.train.inputs.unique()) == size
        assert torch.equal(splits.train.inputs[:size], sets[1_000].train.inputs[:size])
        assert torch.equal(splits.train.labels[:size], sets[1_000].train.labels[:size])
        assert torch.equal(splits.val.inputs, sets[1_000].val.inputs)
    clean = page["draw"](1_000, 0.0, 3)
    assert torch.equal(clean.train.inputs, sets[1_000].train.inputs)
    noise = sets[1_000].train.labels - clean.train.labels
    assert 0.09 < noise[:1_000].std() < 0.11


def test_the_true_map_doubles_an_angle(page):
    angle = np.linspace(0, np.pi / 2, 101)
    assert np.allclose(page["logistic"](np.sin(angle) ** 2), np.sin(2 * angle) ** 2)


def test_the_map_read_from_numbers_is_the_network_and_its_slope_the_derivative(page):
    for hidden in (5, 100):
        torch.manual_seed(hidden)
        model = page["SkipNet"](hidden).double()
        numbers = nn.utils.parameters_to_vector(model.parameters()).tolist()
        run = records.Run({}, 0, None, {"weights": numbers})
        rule, slope = page["learned"](run)
        x = torch.linspace(-0.5, 1.5, 41, dtype=torch.float64, requires_grad=True)
        outputs = model(x[:, None])[:, 0]
        (derivative,) = torch.autograd.grad(outputs.sum(), x)
        assert np.allclose(rule(x.detach().numpy()), outputs.detach().numpy())
        assert np.allclose(slope(x.detach().numpy()), derivative.numpy())
        assert np.isclose(rule(0.3), rule(np.array([0.3]))[0])


def test_the_orbit_in_64_bits_is_lost_where_exact_numbers_say_so(page):
    # fixed-point numbers of 400 binary digits in place of the page's decimals
    one = 1 << 400
    exact, double, step = int(0.3 * 2**60) << 340, 0.3, 0
    while abs(exact / one - double) < 0.1:
        exact, double, step = 4 * exact * (one - exact) // one, 4 * double * (1 - double), step + 1
    printed = [cell_output(cell) for cell in notebook_cells() if "getcontext" in cell.source]
    assert re.search(rf"after {step} steps", printed[0])


def notebook_cells():
    import nbformat

    return chapters.code_cells(nbformat.read(chapters.pair_path(ROOT, "logistic-map"), as_version=4))


def cell_output(cell):
    return "".join(output.get("text", "") for output in cell.outputs)


def test_the_numbers_that_a_reader_counts_are_found_in_another_way(page):
    parameters = sum(parameter.numel() for parameter in page["SkipNet"](8).parameters())
    steps, error = 0, 0.1 / 1_024
    while error < 0.1:
        error, steps = 2 * error, steps + 1
    assert counted("logistic-map") == [parameters, steps]


def test_the_picture_shows_a_distance_that_doubles():
    picture = ElementTree.parse(ROOT / "book" / "static" / "ideas" / "logistic-map.svg").getroot()
    gaps = [line.attrib for line in picture if line.get("data-gap")]
    assert [abs(float(line["y1"]) - float(line["y2"])) for line in gaps] == [2**step for step in range(8)]


# ------------------------------------------------------------ what the page says of its record, read from the file itself


@pytest.fixture(scope="module")
def runs():
    """{(variant, points, noise): {seed: the row of the record}}."""
    found = {}
    for row in json.loads((records.FOLDER / "logistic-map.json").read_text(encoding="utf-8"))["runs"]:
        setting = row["setting"]
        found.setdefault((setting["variant"], setting["points"], setting["noise"]), {})[row["seed"]] = row
    return found


def last(row, part):
    return row["history"][f"{part}_loss"][-1]


def log_ratio(row):
    return math.log(last(row, "val") / last(row, "train"))


def interval(values):
    reach = t.ppf(0.975, len(values) - 1) * stdev(values) / len(values) ** 0.5
    return mean(values) - reach, mean(values) + reach


def network(row):
    """The recorded network as one of PyTorch's, in float64, built without the page."""
    numbers = torch.tensor(row["extras"]["weights"], dtype=torch.float64)
    units = (len(numbers) - 2) // 3
    w, b, u, v, c = numbers.split([units, units, 1, units, 1])
    return lambda x: c + u * x + (torch.tanh(x[:, None] * w + b) * v).sum(1)


def orbits(row, steps, starts):
    x, states = starts, [starts]
    for _ in range(steps):
        x = network(row)(x)
        states.append(x)
    return torch.stack(states)


STARTS = torch.linspace(0.0013, 0.9987, 301, dtype=torch.float64)  # others than the page's


def exponent(row):
    """The Lyapunov exponent by two orbits that start close together, brought close again after each step."""
    x = orbits(row, 500, STARTS)[-1]
    rule, growth = network(row), []
    for _ in range(500):
        after, beside = rule(x), rule(x + 1e-9)
        growth.append(torch.log(((beside - after).abs() / 1e-9).clamp(min=1e-6)).mean())
        x = after
    return float(torch.stack(growth).mean())


def test_the_recorded_costs_are_those_of_the_recorded_weights(runs, page):
    for (variant, points, noise), rows in runs.items():
        row = rows[0]
        splits = page["draw"](points, noise, 0)
        for part, split in (("train", splits.train), ("val", splits.val)):
            outputs = network(row)(split.inputs[:, 0].double())
            cost = (outputs - split.labels[:, 0]).abs().mean().item()
            assert cost == pytest.approx(last(row, part), rel=2e-2, abs=1e-4), (variant, points, noise)


def test_with_a_thousand_points_both_costs_coincide_with_noise_and_without(runs):
    for noise in (0.0, 0.1):
        low, high = interval([log_ratio(row) for row in runs["plain", 1_000, noise].values()])
        assert -math.log(1.1) < low < high < math.log(1.1), noise


def test_noise_lifts_both_costs_of_a_thousand_points_to_its_own_mean_size(runs):
    floor = 0.1 * math.sqrt(2 / math.pi)
    for part in ("train", "val"):
        costs = [last(row, part) for row in runs["plain", 1_000, 0.1].values()]
        assert floor * 0.95 < mean(costs) < floor * 1.1


def test_with_few_points_the_costs_part_on_average_also_without_noise(runs):
    for noise in (0.0, 0.1):
        ratios = [mean(map(log_ratio, runs["plain", points, noise].values())) for points in SIZES]
        assert ratios[3] > ratios[2] > math.log(1.1) > max(abs(ratios[1]), abs(ratios[0])), noise
    assert min(map(log_ratio, runs["plain", 20, 0.1].values())) > math.log(1.1), (
        "noise is learned by heart in every run"
    )
    for points in (20, 8):  # below what the noise alone costs the true map
        assert mean(last(row, "train") for row in runs["plain", points, 0.1].values()) < 0.1 * math.sqrt(2 / math.pi)


def test_a_penalty_changes_less_than_the_seeds_scatter_and_the_wide_network_is_worse_in_training_too(runs):
    for points in (1_000, 20):
        plain = runs["plain", points, 0.0]
        for variant in ("L2 1e-5", "L2 1e-4"):
            rows = runs[variant, points, 0.0]
            low, high = interval([last(rows[seed], "val") - last(plain[seed], "val") for seed in rows])
            assert low < 0 < high, (variant, points)
        wide = runs["wide", points, 0.0]
        for part in ("train", "val"):
            assert mean(last(wide[seed], part) for seed in wide) > mean(last(plain[seed], part) for seed in wide)


def test_a_parabola_beats_the_network_everywhere_and_straight_lines_only_where_points_are_dense(runs, page):
    for points in SIZES:
        rows, costs = runs["plain", points, 0.0], []
        for seed in rows:
            splits = page["draw"](points, 0.0, seed)
            x, y, new = (
                tensor[:, 0].double() for tensor in (splits.train.inputs, splits.train.labels, splits.val.inputs)
            )
            x, order = x[:points].sort()
            y = y[:points][order]
            right = torch.searchsorted(x, new).clamp(1, points - 1)
            share = ((new - x[right - 1]) / (x[right] - x[right - 1])).clamp(0, 1)
            lines = y[right - 1] + share * (y[right] - y[right - 1])
            powers = torch.stack([torch.ones_like(x), x, x**2], 1)
            a, b, c = torch.linalg.lstsq(powers, y[:, None]).solution[:, 0]
            true = splits.val.labels[:, 0].double()
            costs.append([(guess - true).abs().mean().item() for guess in (lines, a + b * new + c * new**2)])
        lines, parabola = np.mean(costs, axis=0)
        network_cost = mean(last(row, "val") for row in rows.values())
        assert parabola < 1e-6 < network_cost
        assert (lines < network_cost) == (points >= 100), points


def followed_steps(row):
    true = [STARTS]
    for _ in range(40):
        true.append(4 * true[-1] * (1 - true[-1]))
    away = (orbits(row, 40, STARTS) - torch.stack(true)).abs() > 0.1
    return median(next((step - 1 for step, lost in enumerate(column) if lost), 40) for column in away.T)


def step_error(row):
    return float((network(row)(STARTS) - 4 * STARTS * (1 - STARTS)).abs().mean())


def test_the_steps_are_foretold_to_about_one_and_no_choice_allows_ten(runs):
    for (variant, points, noise), rows in runs.items():
        if noise == 0 and variant in ("plain", "five times as long"):
            foretold = mean(math.log2(0.1 / step_error(row)) for row in rows.values())
            assert mean(map(followed_steps, rows.values())) == pytest.approx(foretold, abs=1.3), (variant, points)
        if noise == 0 and points == 1_000:
            assert max(map(followed_steps, rows.values())) < 10
    seeds = runs["five times as long", 1_000, 0.0]
    plain = runs["plain", 1_000, 0.0]
    for seed, row in seeds.items():
        assert step_error(row) < step_error(plain[seed])
    gained = mean(followed_steps(row) - followed_steps(plain[seed]) for seed, row in seeds.items())
    assert 0.5 < gained < 1.5


def test_every_exponent_lies_below_ln_2_and_a_better_fit_may_have_lost_the_chaos(runs):
    found = {
        points: [(step_error(row), exponent(row)) for row in runs["plain", points, 0.0].values()] for points in SIZES
    }
    everything = [pair for pairs in found.values() for pair in pairs]
    assert max(value for _, value in everything) < math.log(2)
    lost = [error for points in (20, 8) for error, value in found[points] if value < -0.02]
    assert lost and any(error > min(lost) and value > 0.1 for error, value in everything)


def test_a_parabola_that_is_too_low_by_as_much_has_an_exponent_as_small():
    def long_run(factor, growth=0.0):
        x = np.linspace(0.0013, 0.9987, 301)
        for step in range(2_000):
            x = factor * x * (1 - x)
            growth += np.log(abs(factor - 2 * factor * x)).mean() / 1_000 if step >= 1_000 else 0
        return growth

    exponents = [long_run(factor) for factor in (4, 3.99, 3.94)]
    assert exponents == sorted(exponents, reverse=True) and exponents[0] == pytest.approx(math.log(2), abs=0.01)
    assert 0.5 < exponents[2] < 0.6


def test_the_places_closest_to_zero_are_missed(runs):
    late, x = [], STARTS
    for _ in range(400):
        x = 4 * x * (1 - x)
        late.append(x)
    true_share = float((torch.stack(late[100:]) < 0.005).double().mean())
    assert true_share == pytest.approx(2 / math.pi * math.asin(math.sqrt(0.005)), rel=0.2)
    shares = [
        float(((states := orbits(row, 400, STARTS)[100:]) >= 0).logical_and(states < 0.005).double().mean())
        for row in runs["plain", 1_000, 0.0].values()
    ]
    assert mean(shares) < true_share / 2


def test_outside_the_data_the_networks_stay_far_above_the_parabola(runs):
    for row in runs["plain", 1_000, 0.0].values():
        left, right = network(row)(torch.tensor([-0.5, 1.5], dtype=torch.float64)).tolist()
        assert left > -2 and right > -2.5


def test_other_learning_rates_end_at_a_higher_cost_and_keras_start_changes_little(runs):
    plain = runs["plain", 1_000, 0.0]
    for variant in ("rate 1e-3", "rate 3e-2", "Keras start"):
        rows = runs[variant, 1_000, 0.0]
        factor = mean(last(rows[seed], "val") for seed in rows) / mean(last(plain[seed], "val") for seed in rows)
        fewer = mean(followed_steps(rows[seed]) - followed_steps(plain[seed]) for seed in rows)
        if variant == "Keras start":
            assert 1 / 1.5 < factor < 1.5
        else:
            assert factor > 1.3 and fewer < 0


# ------------------------------------------------------------------------------------------------------------------------


def test_the_works_that_it_builds_on_lead_back_to_it():
    assert {"may1976simple", "lorenz1963deterministic", "pathak2017using"} <= works_cited("logistic-map")


WORDS = ["chaos", "Lyapunov exponent"]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/logistic-map" in search(words)
