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

from companion import BagOfWords, Split, check_tokens, keras_norm, load_dataset, load_record
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
    model = BagOfWords(2_000, norm=lambda units: nn.BatchNorm1d(units, eps=0)).double().train()
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
    texts = ["".join(element.itertext()) for element in picture.iter("{*}text")]
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
