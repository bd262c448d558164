"""The chapter on linear regression: what its own tests know of it."""

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from statistics import mean, stdev

import numpy as np
import pytest
import torch
from books import ROOT
from reading import counted, source, works_cited
from scipy.stats import pearsonr, t

from companion.data.boston import load_diabetes_table
from companion.data.splits import standardise
from companion.evidence import records
from companion.evidence.ledger import ledger_rows
from companion.publish.notebooks import chapters

REPORTED = float(ledger_rows()["E-boston-mse"].reported)


@pytest.fixture(scope="module")
def page():
    """What the page's cells define, without running anything else of it."""
    names = {"torch": torch, "nn": torch.nn, "np": np, "replace": replace, "batch_size": 32, "epochs": 30}
    for cell in chapters.code_cells(source("linear-regression")):
        if cell.source.startswith(("def least_squares", "def by_hand")):
            exec(cell.source, names)
    return names


@pytest.fixture(scope="module")
def table():
    return standardise(load_diabetes_table())


def test_at_the_exact_line_every_slope_is_zero_and_numpy_finds_the_same_one(page, table):
    x, y = table.train.inputs.double().numpy(), table.train.targets.double().numpy()
    weights = page["least_squares"](table.train.inputs, table.train.targets).numpy()
    ones = np.hstack([x, np.ones((len(x), 1))])
    assert np.abs(ones.T @ (ones @ weights - y)).max() < 1e-6 * np.abs(ones.T @ y).max()
    assert np.allclose(weights, np.linalg.solve(ones.T @ ones, ones.T @ y), rtol=1e-5)
    test = np.hstack([table.val.inputs.double().numpy(), np.ones((len(table.val), 1))])
    error = float(((test @ weights - table.val.targets.double().numpy()) ** 2).mean())
    assert page["line_error"](torch.from_numpy(weights), table.val) == pytest.approx(error)


def test_targets_of_another_shape_are_refused_in_a_sentence(page, table):
    for targets in (table.train.targets[:, 0], table.train.targets[:-1], table.train.targets.T):
        with pytest.raises(ValueError, match=r"targets are \(354, 1\), not") as caught:
            page["least_squares"](table.train.inputs, targets)
        assert "\n" not in str(caught.value)


def test_a_column_that_is_left_out_is_gone_from_both_parts_and_no_other_one(page, table):
    fewer = page["without"](table, "sex")
    assert fewer.columns == tuple(name for name in table.columns if name != "sex")
    for part in ("train", "val"):
        before, after = getattr(table, part).inputs, getattr(fewer, part).inputs
        assert torch.equal(after, torch.cat([before[:, :1], before[:, 2:]], 1))


def test_a_step_of_adam_is_never_much_longer_than_the_learning_rate(page, table):
    path = page["by_hand"](table, 1e-3)
    steps = -(-len(table.train) // 32)
    moved = (path[1:] - path[:-1]).abs().max().item()
    assert moved < 1.05 * steps * 1e-3
    assert path[-1, -1].item() == pytest.approx(len(path) * steps * 1e-3, rel=0.2, abs=0.35)


def test_the_number_that_a_reader_counts_is_found_by_walking():
    place, epochs = 0.0, 0
    while place < 40 - 1e-9:
        place, epochs = place + 20 * 0.01, epochs + 1
    assert counted("linear-regression") == [epochs]


def test_the_picture_has_the_same_points_twice_and_a_larger_error_below():
    picture = ElementTree.parse(ROOT / "book" / "static" / "ideas" / "linear-regression.svg").getroot()
    elements = [element for element in picture.iter() if element.tag.endswith(("circle", "rect"))]
    places = []
    for low, high, shift in ((30, 130, 0), (160, 262, 132)):
        found = []
        for element in elements:
            if element.tag.endswith("circle"):
                x, y = float(element.get("cx")), float(element.get("cy"))
            elif float(element.get("width")) == 11:
                x, y = float(element.get("x")) + 6, float(element.get("y")) + 5.5
            else:
                continue
            if low < y < high:
                found.append((x, y - shift))
        places.append(sorted(found))
    assert len(places[0]) == len(places[1]) == 12
    for one, other in zip(*places, strict=True):
        assert np.allclose(one, other, atol=3)
    errors = [
        [float(line.get("d").rpartition("v")[2]) for line in group]
        for group in picture.iter()
        if group.tag.endswith("}g") and all(child.tag.endswith("path") for child in group)
    ]
    above, below = (sum(error**2 for error in found) for found in errors)
    assert below > 20 * above


# ------------------------------------------------------------ what the page says of its record, read from the file itself


@pytest.fixture(scope="module")
def runs():
    """{(partition, inputs, learning rate): {seed: the row of the record}}."""
    found = {}
    for row in json.loads((records.FOLDER / "linear-regression.json").read_text(encoding="utf-8"))["runs"]:
        key = tuple(row["setting"][name] for name in ("partition", "inputs", "learning_rate"))
        found.setdefault(key, {})[row["seed"]] = row
    return found


def last(row):
    return row["history"]["val_loss"][-1]


def extra(name):
    return lambda row: row["extras"][name]


def values(rows, reading):
    return [reading(rows[seed]) for seed in sorted(rows)]


SPLITS, SEEDS = ("seed", "standardised", 0.1), ("fixed", "standardised", 0.1)


def test_the_split_moves_the_error_many_times_as_much_as_the_seed(runs):
    for reading in (last, extra("lowest")):
        assert stdev(values(runs[SPLITS], reading)) > 5 * stdev(values(runs[SEEDS], reading))
    fixed = values(runs[SEEDS], extra("lowest"))
    wide = values(runs[SPLITS], extra("lowest"))
    assert max(fixed) - min(fixed) < (max(wide) - min(wide)) / 5


def test_the_neuron_is_the_exact_line_with_a_detour(runs):
    ends, line = values(runs[SPLITS], last), values(runs[SPLITS], extra("line"))
    assert pearsonr(ends, line).statistic > 0.98
    assert abs(mean(ends) - mean(line)) < 0.05 * mean(line)


def test_a_forest_is_better_by_far_in_nearly_any_split(runs):
    line, forest = values(runs[SPLITS], extra("line")), values(runs[SPLITS], extra("forest"))
    assert sum(f < one for f, one in zip(forest, line, strict=True)) >= 0.9 * len(line)
    assert mean(line) - mean(forest) > 5


def test_the_lowest_of_all_epochs_is_lower_than_the_last_and_than_the_exact_line_on_average(runs):
    low = mean(values(runs[SPLITS], extra("lowest")))
    assert low < mean(values(runs[SPLITS], last)) and low < mean(values(runs[SPLITS], extra("line")))


def test_without_the_column_that_encodes_race_little_is_lost(runs):
    line, bare = values(runs[SPLITS], extra("line")), values(runs[SPLITS], extra("line_without"))
    assert 0 < mean(bare) - mean(line) < 0.05 * mean(line)


def test_the_number_of_the_report_is_within_one_further_run_and_that_is_too_wide_to_tell(runs):
    found = values(runs[SPLITS], extra("lowest"))
    reach = t.ppf(0.975, len(found) - 1) * stdev(found) * (1 + 1 / len(found)) ** 0.5
    assert mean(found) - reach < REPORTED < mean(found) + reach and reach > 5
    line = values(runs[SPLITS], extra("line"))
    assert min(line) < REPORTED < max(line) and min(found) < REPORTED < max(found)


def test_on_keras_own_split_the_number_is_not_one_of_our_runs(runs):
    found = values(runs[SEEDS], extra("lowest"))
    reach = t.ppf(0.975, len(found) - 1) * stdev(found) * (1 + 1 / len(found)) ** 0.5
    assert mean(found) + reach + 0.005 < REPORTED and reach < 5


def test_the_default_rate_ends_far_away_with_either_kind_of_inputs(runs):
    assert min(values(runs["fixed", "standardised", 0.001], extra("lowest"))) > 10 * REPORTED
    assert min(values(runs["fixed", "raw", 0.001], extra("lowest"))) > 1.5 * REPORTED


# ------------------------------------------------------------------------------------------------------------------------


def test_the_largest_test_error_of_two_hundred_splits_is_nearly_twice_the_smallest(page):
    errors = []
    for number in range(200):
        cut = load_diabetes_table(number)
        x, y = cut.train.inputs.double().numpy(), cut.train.targets.double().numpy()
        solution = np.linalg.lstsq(np.hstack([x, np.ones((len(x), 1))]), y)[0]
        test = np.hstack([cut.val.inputs.double().numpy(), np.ones((len(cut.val), 1))])
        errors.append(float(((test @ solution - cut.val.targets.double().numpy()) ** 2).mean()))
    assert 1.7 < max(errors) / min(errors) < 2


def test_the_works_that_it_builds_on_lead_back_to_it():
    assert {"harrison1978hedonic", "kingma2015adam"} <= set(works_cited("linear-regression"))


WORDS = ["normal equations", "house prices"]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/linear-regression" in search(words)
