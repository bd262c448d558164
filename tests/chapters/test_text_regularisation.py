"""The chapter on regularising a bag of words: what its own tests know of it."""

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from statistics import mean

import numpy as np
import pytest
import torch
from books import ROOT
from reading import counted, source, works_cited
from scipy.sparse import csr_matrix
from scipy.stats import ttest_rel
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import BernoulliNB, MultinomialNB
from sklearn.svm import LinearSVC
from torch import nn
from torch.nn import functional as F

from companion import BagOfWords, Split, check_tokens, keras_norm, load_dataset
from companion.evidence import profiles, records

WORDS = ["bag of words", "tf-idf", "naive Bayes", "sparse matrix", "NB-SVM", "support vector machine"]
NAMES = {
    "torch": torch,
    "nn": nn,
    "F": F,
    "np": np,
    "csr_matrix": csr_matrix,
    "Split": Split,
    "replace": replace,
    "check_tokens": check_tokens,
    "TfidfTransformer": TfidfTransformer,
    "LogisticRegression": LogisticRegression,
    "LinearSVC": LinearSVC,
    "MultinomialNB": MultinomialNB,
}


@pytest.fixture(scope="module")
def page():
    """What the page's cells define that hold the network and the helpers of the linear methods."""
    names = dict(NAMES)
    begins = ("class BagOfWords", "# @title Helpers: ", "def score")
    for cell in source("text-regularisation").cells:
        if cell.cell_type == "code" and cell.source.startswith(begins):
            exec(cell.source, names)
    names["size"] = 2_000
    return names


@pytest.fixture(scope="module")
def reviews():
    return load_dataset("invented_reviews", n_train=400, n_val=300)


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    assert counted("text-regularisation") == [sum(p.numel() for p in BagOfWords(500, hidden=(20, 5)).parameters())]


def test_the_package_builds_the_network_that_the_page_writes_out(page, reviews):
    for options in ({}, {"norm": keras_norm}, {"norm": nn.BatchNorm1d, "dropout": 0.5}):
        torch.manual_seed(0)
        own = BagOfWords(2_000, **options)
        torch.manual_seed(0)
        theirs = page["BagOfWords"](2_000, **options)
        assert own.state_dict().keys() == theirs.state_dict().keys()
        pairs = zip(own.state_dict().values(), theirs.state_dict().values(), strict=True)
        assert all(torch.equal(one, other) for one, other in pairs)
        tokens = reviews.train.inputs[:16]
        torch.manual_seed(1)
        first = own(tokens)
        torch.manual_seed(1)
        assert torch.equal(first, theirs(tokens))


def test_behind_a_batch_normalisation_larger_weights_change_nothing_and_have_smaller_gradients(reviews):
    """Weights and biases ten times as large: the same outputs, and a tenth of the gradient, as for any function of their direction."""
    torch.manual_seed(0)
    model = BagOfWords(2_000, norm=lambda units: nn.BatchNorm1d(units, eps=1e-30)).double().train()
    tokens = reviews.train.inputs[:64]
    outputs, gradients = [], []
    for _ in range(2):
        model.zero_grad()
        outputs.append(model(tokens))
        outputs[-1].square().sum().backward()
        gradients.append(model.table.weight.grad[:, :-1].clone())
        with torch.no_grad():
            model.table.weight[:, :-1] *= 10
            model.bias *= 10
    assert torch.allclose(*outputs)
    assert torch.allclose(gradients[0], 10 * gradients[1])


def test_the_sparse_counts_of_the_page_are_the_counts(page, reviews):
    ours = page["counts_of"](reviews.val).toarray()
    by_hand = np.zeros_like(ours)
    for row, tokens in zip(by_hand, reviews.val.inputs.tolist(), strict=True):
        for token in tokens:
            row[token] += token != 0
    assert (ours == by_hand).all()


def test_what_is_held_back_and_what_is_kept_are_all_training_reviews_once(page, reviews):
    held = page["hold_back"](reviews)
    assert (len(held.train), len(held.val)) == (320, 80)
    rows = sorted(held.train.inputs.tolist() + held.val.inputs.tolist())
    assert rows == sorted(reviews.train.inputs.tolist())


def test_the_log_ratios_of_the_page_are_those_of_naive_bayes(page, reviews):
    """A second witness: scikit-learn's naive Bayes for presence, normalised over the words as the paper on NB-SVM does it."""
    counts, labels = page["counts_of"](reviews.train), reviews.train.labels.numpy()
    every = csr_matrix(np.ones((1, 2_000)))
    ratios = page["log_ratio"](counts, labels)(every).toarray()[0]
    bayes = BernoulliNB(alpha=1).fit(counts, labels)
    seen = bayes.feature_count_ + 1
    expected = np.log(seen[1] / seen[1].sum()) - np.log(seen[0] / seen[0].sum())
    assert np.allclose(ratios, expected)
    weighted = page["log_ratio"](counts, labels)(counts).toarray()
    assert np.allclose(weighted, (counts.toarray() > 0) * expected)


def test_the_picture_takes_the_row_of_a_repeated_word_twice():
    picture = ElementTree.parse(ROOT / "book" / "static" / "ideas" / "bag-of-words.svg").getroot()
    texts = ["".join(element.itertext()) for element in picture.findall(".//{*}text")]
    review = next(text for text in texts if text.startswith("a review: ")).removeprefix("a review: ").split()
    counts = {word: review.count(word) for word in set(review)}
    assert sorted(f"× {count}" for count in counts.values()) == sorted(text for text in texts if text.startswith("×"))
    assert set(counts) < set(texts)


def test_the_works_that_the_page_names_stand_in_the_bibliography():
    assert works_cited("text-regularisation") >= {"wang2012baselines", "vanlaarhoven2017l2", "ioffe2015batch"}


# ------------------------------------------------------------ what the page says of its record, read from the file itself


@pytest.fixture(scope="module")
def runs():
    return json.loads((records.FOLDER / "text-regularisation.json").read_text(encoding="utf-8"))["runs"]


def each(runs, recipe, penalty, reading, part="all"):
    """The readings of the runs of a setting, by seed."""
    wanted = {"recipe": recipe, "penalty": penalty, "part": part}
    found = {row["seed"]: reading(row) for row in runs if row["setting"] == wanted}
    return [found[seed] for seed in sorted(found)]


def accuracy(row):
    return row["history"]["val_accuracy"][-1]


def gap(row):
    return row["history"]["val_loss"][-1] - row["history"]["train_loss"][-1]


def test_every_setting_has_five_seeds_the_search_two_and_the_sensitivity_three(runs):
    seeds = {}
    for row in runs:
        seeds.setdefault(tuple(row["setting"].values()), []).append(row["seed"])
    counts = {}
    for setting, found in seeds.items():
        counts.setdefault(len(found), []).append(setting)
        assert sorted(found) == list(range(len(found)))
    assert {n: len(settings) for n, settings in counts.items()} == {5: 11, 2: 10, 3: 2}


def test_the_recipes_of_a_seed_saw_the_same_number_of_batches_and_the_same_reviews(runs):
    assert {row["data"]["fingerprint"] for row in runs} == {runs[0]["data"]["fingerprint"]}
    plans = {(row["parameters"]["epochs"], row["parameters"]["batch_size"]) for row in runs}
    assert plans == {(8, 128)} and profiles.profile("text-regularisation")["parameters"]["epochs"] == 8


def test_the_baselines_have_no_seed(runs):
    for method in ("naive Bayes", "logistic, counts", "logistic, tf-idf", "NB-SVM"):
        found = each(runs, "none", 0.0, lambda row, method=method: row["extras"][method])
        assert len(found) == 5 and len(set(found)) == 1


NORM, L2, DROPOUT = "L2 + norm", "L2", "L2 + dropout"


def last(name):
    return lambda row: row["extras"][name][-1]


def compared(first, second):
    """1 where the first numbers are surely larger, -1 where they are surely smaller, 0 where a paired t test at 5 % cannot tell."""
    difference = ttest_rel(first, second)
    return 0 if difference.pvalue > 0.05 else 1 if difference.statistic > 0 else -1


def test_batch_normalisation_is_faster_on_its_own_batches_and_no_better_on_new_reviews(runs):
    own = [each(runs, name, 0.001, lambda row: row["history"]["running_loss"][0]) for name in (NORM, L2)]
    new = [each(runs, name, 0.001, lambda row: row["history"]["val_accuracy"][0]) for name in (NORM, L2)]
    assert compared(*own) == -1 and compared(*new) < 1


def test_a_hundred_times_the_penalty_leaves_the_activations_behind_a_normalisation_where_they_were(runs):
    weights, behind = (
        [mean(each(runs, NORM, p, last(name))) for p in (1e-4, 1e-2)] for name in ("norm_first", "rms_second")
    )
    assert 4.5 < weights[0] / weights[1] < 5.5 and 0.8 < behind[0] / behind[1] < 1.25
    plain = [mean(each(runs, L2, p, last("rms_second"))) for p in (1e-4, 1e-2)]
    assert plain[0] / plain[1] > 8


def test_batch_normalisation_lowers_the_activations_of_both_layers(runs):
    for name in ("rms_first", "rms_second"):
        assert compared(each(runs, NORM, 1e-3, last(name)), each(runs, L2, 1e-3, last(name))) == -1
    assert compared(each(runs, NORM, 1e-3, last("norm_first")), each(runs, L2, 1e-3, last("norm_first"))) == 1


def test_batch_normalisation_costs_less_than_a_tenth_more_seconds(runs):
    fastest = [mean(each(runs, name, 1e-3, lambda row: min(row["extras"]["cpu_seconds"]))) for name in (NORM, L2)]
    assert 1.03 < fastest[0] / fastest[1] < 1.1


def test_the_weaker_the_remedy_the_earlier_the_best_epoch(runs):
    def best(row):
        return row["history"]["val_accuracy"].index(max(row["history"]["val_accuracy"])) + 1

    assert np.median(each(runs, "none", 0.0, best)) == 1
    for name in (L2, NORM):
        found = [mean(each(runs, name, p, best)) for p in (1e-4, 1e-3, 1e-2)]
        assert found == sorted(found)


def test_dropout_and_the_largest_penalty_leave_a_linear_classifier(runs):
    dead, alive = (each(runs, DROPOUT, p, last("norm_first")) for p in (1e-2, 1e-3))
    assert max(dead) < 0.02 and min(alive) > 5
    behind = mean(each(runs, DROPOUT, 1e-3, accuracy)) - mean(each(runs, DROPOUT, 1e-2, accuracy))
    assert 0.01 < behind < 0.025


def test_without_a_remedy_the_loss_more_than_doubles_and_the_accuracy_falls_by_two_or_three_points(runs):
    for row in (row for row in runs if row["setting"]["recipe"] == "none"):
        losses, accuracies = row["history"]["val_loss"], row["history"]["val_accuracy"]
        assert losses[-1] > 2 * min(losses) and 0.015 < max(accuracies) - accuracies[-1] < 0.04


def test_ten_times_the_penalty_about_halves_the_gap_and_a_tenth_hardly_changes_it(runs):
    less, fixed, more = (mean(each(runs, NORM, p, gap)) for p in (1e-4, 1e-3, 1e-2))
    assert 0.4 < more / fixed < 0.6 and 1 < less / fixed < 1.4
    assert mean(each(runs, L2, 1e-3, gap)) < fixed / 2


def test_the_search_by_accuracy_does_not_choose_more_regularisation_and_by_the_gap_it_would(runs):
    penalties = (1e-4, 1e-3, 1e-2, 1e-1)
    held = [mean(each(runs, NORM, p, accuracy, "search")) for p in penalties]
    assert held.index(max(held)) == 0 and max(held) - min(held) < 0.015
    gaps = [mean(each(runs, NORM, p, gap, "search")) for p in penalties]
    assert gaps.index(min(gaps)) == 3


def test_the_linear_methods_are_where_the_page_says_they_are(runs):
    base = next(row["extras"] for row in runs if row["setting"]["recipe"] == "none")
    assert base["NB-SVM"] > base["logistic, tf-idf"] > base["logistic, counts"] >= 0.88 > base["naive Bayes"]
    assert 0 < base["logistic, counts"] - base["no digits"] < 0.005
    assert base["repeated"] < 0.01 * 24_996
    assert base["logistic, counts"] > mean(each(runs, L2, 1e-3, accuracy))


def test_the_strongest_words_hold_grades(runs):
    base = next(row["extras"] for row in runs if row["setting"]["recipe"] == "none")
    words = bytes(map(int, base["words"])).decode().split()
    assert {"7", "8"} <= set(words[24:]) and {"waste", "worst"} <= set(words[:24])


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/text-regularisation" in search(words)
