"""The chapter on cross-validation: what its own tests know of it."""

import ast
import json
import math
import xml.etree.ElementTree as ElementTree
from statistics import mean, stdev, variance

import numpy as np
import pytest
import torch
from books import ROOT
from reading import counted, source, works_cited
from scipy.stats import t
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import nn

from companion.data.pima import load_tumours
from companion.evidence import records
from companion.publish.notebooks import chapters
from companion.training.engine import predict
from companion.training.penalty import kernels


@pytest.fixture(scope="module")
def page():
    """What the page's cells define, without running anything else of it."""
    names = {"torch": torch, "nn": nn, "np": np, "math": math, "student": t, "mean": mean, "predict": predict}
    names |= {"variance": variance, "kernels": kernels, "learning_rate": 1e-3}
    for cell in chapters.code_cells(source("cross-validation")):
        if cell.source.startswith(("def ", "# @title")):
            tree = ast.parse(cell.source)
            tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
            exec(compile(tree, "page", "exec"), names)
    return names


def test_a_weight_decay_of_twice_the_factor_is_the_penalty_of_keras(page):
    """One step from the same weights, once with the decay and once with the penalty written into the loss."""
    x, y = torch.randn(16, 8, dtype=torch.float64), torch.rand(16, 1, dtype=torch.float64).round()
    after = []
    for written_out in (False, True):
        torch.manual_seed(0)
        model = page["build"](0.0).double()
        optimizer = page["optimizer_of"](model, 0.0 if written_out else 0.1)
        for _ in range(3):
            loss = nn.functional.binary_cross_entropy_with_logits(model(x), y)
            if written_out:
                loss = loss + 0.1 * sum((layer.weight**2).sum() for layer in model if isinstance(layer, nn.Linear))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        after.append([parameter.detach().clone() for parameter in model.parameters()])
    assert all(torch.allclose(one, other, atol=1e-9) for one, other in zip(*after, strict=True))


def test_the_number_that_a_reader_counts_is_found_by_counting():
    layers = nn.Linear(6, 10), nn.BatchNorm1d(10)
    held = sum(p.numel() for layer in layers for p in layer.parameters())
    running = sum(b.numel() for name, b in layers[1].named_buffers() if name.startswith("running"))
    assert counted("cross-validation") == [held + running]


def test_the_jitter_of_a_straight_curve_is_zero_and_of_a_zigzag_its_step(page):
    assert page["jitter"](list(range(20))) == 0
    assert page["jitter"]([0.5 + 0.01 * (k % 2) for k in range(40)]) == pytest.approx(0.01, rel=0.02)
    assert page["jitter"]([0.7]) == 0.0


def test_the_uncorrected_interval_is_the_usual_one_and_the_corrected_is_as_much_wider_as_stated(page):
    differences = np.random.RandomState(3).normal(0.01, 0.02, 100).tolist()
    low, high = page["interval"](differences, corrected=False)
    theirs = t.interval(0.95, 99, mean(differences), stdev(differences) / 10)
    assert (low, high) == pytest.approx(theirs)
    wide = page["interval"](differences)
    assert (wide[1] - wide[0]) / (high - low) == pytest.approx(math.sqrt((1 / 100 + 1 / 4) / (1 / 100)))


def test_the_picture_holds_out_each_fold_once():
    picture = ElementTree.parse(ROOT / "book" / "static" / "ideas" / "cross-validation.svg").getroot()
    boxes = [box for box in picture if box.tag.endswith("rect") and box.get("width") == "54"]
    held = [(box.get("x"), box.get("y")) for box in boxes if "accent" in box.get("fill")]
    assert len(boxes) == 25 and len(held) == 5 == len({x for x, _ in held}) == len({y for _, y in held})


# ------------------------------------------------------------------------------------------------------- the stand-in


def test_in_the_stand_in_means_help_a_mean_before_the_split_changes_nothing_and_class_means_are_far_above():
    """By pipelines of scikit-learn's own scaler, on ten rounds of folds."""
    found = {}
    for missing in ("zeros", "mean", "mean-before-split", "class-mean"):
        scores = []
        for repeat in range(10):
            for fold in range(5):
                splits = load_tumours(fold, repeat, missing)
                scaler = StandardScaler().fit(splits.train.inputs)
                model = LogisticRegression().fit(scaler.transform(splits.train.inputs), splits.train.targets)
                scores.append(model.score(scaler.transform(splits.val.inputs), splits.val.targets))
        found[missing] = mean(scores)
    assert found["mean"] > found["zeros"] + 0.02
    assert abs(found["mean"] - found["mean-before-split"]) < 0.005
    assert found["class-mean"] > found["mean"] + 0.03


# ------------------------------------------------------------ what the page says of its record, read from the file itself


@pytest.fixture(scope="module")
def runs():
    """{(missing, penalty, rate): {seed: the row of the record}}."""
    found = {}
    for row in json.loads((records.FOLDER / "cross-validation.json").read_text(encoding="utf-8"))["runs"]:
        key = tuple(row["setting"][name] for name in ("missing", "penalty", "rate"))
        found.setdefault(key, {})[row["seed"]] = row
    return found


def usual(missing):
    return missing, 0.1, 0.5


def accuracy(row):
    return row["history"]["val_accuracy"][-1]


def method(name):
    return lambda row: mean(row["extras"][name])


def differences(reading, first, second):
    seeds = sorted(set(first) & set(second))
    assert len(seeds) >= 5
    return [reading(first[seed]) - reading(second[seed]) for seed in seeds]


def reach(values):
    return t.ppf(0.975, len(values) - 1) * stdev(values) / len(values) ** 0.5


def test_a_round_is_the_mean_of_its_five_folds(runs):
    for rows in runs.values():
        for row in rows.values():
            assert accuracy(row) == pytest.approx(mean(row["extras"]["folds"]), abs=1e-4)


def test_no_method_is_better_than_logistic_regression(runs):
    for missing in ("zeros", "mean"):
        rows = runs[usual(missing)]
        logistic = [method("logistic")(row) for row in rows.values()]
        for reading in (accuracy, method("svm"), method("forest"), method("boosting")):
            assert mean(map(reading, rows.values())) < mean(logistic) + 0.01


def test_means_and_zeros_give_about_the_same_accuracy_and_the_same_jitter(runs):
    means, zeros = runs[usual("mean")], runs[usual("zeros")]
    assert abs(mean(differences(accuracy, means, zeros))) < 0.02
    for name in ("jitter_val_accuracy", "jitter_val_loss"):
        found = differences(method(name), means, zeros)
        assert abs(mean(found)) < 0.1 * mean(map(method(name), zeros.values()))
        single = [jitter for row in zeros.values() for jitter in row["extras"][name]]
        assert stdev(single) > abs(mean(found))


def test_trees_make_the_most_of_class_means_and_means_before_the_split_cost_nothing(runs):
    plain, before, leak = (runs[usual(missing)] for missing in ("mean", "mean-before-split", "class-mean"))
    gains = {name: mean(differences(method(name), leak, plain)) for name in ("logistic", "svm", "forest", "boosting")}
    assert (
        min(gains["forest"], gains["boosting"]) > max(gains["logistic"], gains["svm"], 0.05) and gains["logistic"] > 0
    )
    assert abs(mean(differences(method("logistic"), before, plain))) < 0.005
    assert abs(mean(differences(accuracy, before, plain))) < 0.01


def test_both_thresholds_count_nearly_the_same(runs):
    for missing in ("zeros", "mean"):
        rows = runs[usual(missing)].values()
        assert abs(mean(accuracy(row) - method("above_half")(row) for row in rows)) < 0.01


def test_the_same_women_dealt_anew_move_a_round_less_than_one_fold_differs_from_another(runs):
    for missing in ("zeros", "mean"):
        rows = runs[usual(missing)].values()
        within = mean(stdev(row["extras"]["folds"]) for row in rows)
        assert stdev(map(accuracy, rows)) < within / 2


def test_the_jitter_was_measured_on_the_curve_that_is_kept(runs, page):
    for rows in runs.values():
        for row in rows.values():
            assert page["jitter"](row["extras"]["curve"]) == pytest.approx(
                row["extras"]["jitter_val_accuracy"][0], abs=1e-5
            )


# ------------------------------------------------------------------------------------------------------------------------


def test_the_works_that_it_builds_on_lead_back_to_it():
    assert {"nadeau2003inference", "kaufman2012leakage"} <= set(works_cited("cross-validation"))


WORDS = ["k-fold", "imputation"]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/cross-validation" in search(words)
