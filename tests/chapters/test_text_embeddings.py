"""The chapter on word vectors: what its own tests know of it."""

import ast
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest
import torch
from books import ROOT
from reading import counted, source, works_cited
from scipy.sparse import csr_matrix
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import NearestNeighbors
from torch import nn
from torch.nn import functional as F

import companion
from companion import Split, check_tokens, kernels, load_dataset, load_record
from companion.evidence import verdicts
from companion.publish.notebooks import chapters

NAMES = {"torch": torch, "nn": nn, "F": F, "np": np, "csr_matrix": csr_matrix, "time": time, "kernels": kernels}
NAMES |= {name: getattr(companion, name) for name in ("BagOfWords", "binary_accuracy", "evaluate", "shuffle_words")}


@pytest.fixture
def page():
    """The classes and functions of the page's cells, with the words that it asks about; nothing is run."""
    names = NAMES | {"learning_rate": 1e-3, "penalty": 1e-4, "side": "front", "moves": [1, 5, 20], "size": 2_000}
    exec(
        "from sklearn.feature_extraction.text import TfidfTransformer\n"
        "from sklearn.linear_model import LogisticRegression",
        names,
    )
    for cell in chapters.code_cells(source("text-embeddings")):
        if {"record", "solution"} & set(chapters.tags(cell)) or "%pip" in cell.source:
            continue
        tree = ast.parse(cell.source)
        wanted = [
            node
            for node in tree.body
            if isinstance(node, (ast.FunctionDef, ast.ClassDef))
            or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("PAIRS", "OWN", "PROBES"))
        ]
        exec(compile(ast.Module(wanted, []), "page", "exec"), names)
    return names


def reviews_of(page, **sizes):
    """The invented reviews as the page prepares them."""
    whole = load_dataset("invented_reviews", **sizes)
    parts = [
        Split(page["cut"](part.inputs, 90, page["side"]), part.labels[:, None].float())
        for part in (whole.train, whole.val)
    ]
    return replace(whole, train=parts[0], val=parts[1], classes=())


def test_the_number_that_a_reader_counts_is_found_by_counting():
    layers = nn.EmbeddingBag(5_000, 16), nn.Linear(16, 1)
    assert counted("text-embeddings") == [sum(p.numel() for layer in layers for p in layer.parameters())]


# ---------------------------------------------------------------------------------------------- reviews of one length


def test_a_review_is_cut_and_filled_at_the_front_or_at_the_back(page):
    tokens = torch.tensor([[7, 8, 9, 0, 0], [4, 5, 6, 7, 8]], dtype=torch.int32)
    front, back = (page["cut"](tokens, 4, side) for side in ("front", "back"))
    assert front.tolist() == [[0, 7, 8, 9], [5, 6, 7, 8]] and back.tolist() == [[7, 8, 9, 0], [4, 5, 6, 7]]
    assert page["cut"](tokens, 7, "front").tolist()[0] == [0, 0, 0, 0, 7, 8, 9] and front.dtype == tokens.dtype


def test_a_side_that_a_review_does_not_have_is_refused_by_name(page):
    with pytest.raises(ValueError, match="cut at the front or at the back, not 'left'"):
        page["cut"](torch.tensor([[1, 2]]), 2, "left")


def test_an_empty_review_and_a_token_without_a_vector_are_refused_before_a_network_sees_them():
    with pytest.raises(ValueError, match=r"text 1 .* is empty"):
        check_tokens(torch.tensor([[5, 0], [0, 0]]), 10)
    with pytest.raises(ValueError, match=r"text 0 holds the token 10 .* vocabulary has 10 tokens"):
        check_tokens(torch.tensor([[5, 10]]), 10)


@pytest.mark.parametrize("side", ["front", "back"])
def test_no_move_of_the_order_test_loses_a_word(page, side):
    page["side"] = side
    part, seen = reviews_of(page, n_train=10, n_val=200).val, []
    page["evaluate"] = lambda model, tokens, targets, loss_fn, metrics: seen.append(tokens) or (0.0, 0.0)
    page["order_test"](None, part)
    words = [row[row != 0].sort().values.tolist() for row in seen[0]]
    assert len(seen) == 5 and 0 < len(words) < 200  # only reviews with room for 20 places
    assert all([row[row != 0].sort().values.tolist() for row in tokens] == words for tokens in seen[1:])
    for places, moved in zip(page["moves"], seen[2:], strict=True):
        first = seen[0][0].nonzero()[:, 0]
        assert moved[0].nonzero()[:, 0].tolist() == (first + (-places if side == "front" else places)).tolist()


# ---------------------------------------------------------------------------------------------------------- the networks


def test_the_dense_network_is_what_the_report_draws(page):
    """Its answer, once more with nothing but matrix products."""
    torch.manual_seed(0)
    model, tokens = page["DenseText"](50, 6).eval(), torch.randint(0, 50, (3, 6))
    flat = (F.one_hot(tokens, 50).float() @ model.embed.weight).reshape(3, -1)
    first, second = (layer for layer in model.hidden if isinstance(layer, nn.Linear))
    hidden = (flat @ first.weight.T + first.bias).clamp(min=0)
    hidden = (hidden @ second.weight.T + second.bias).clamp(min=0)
    answer = torch.cat([flat, hidden], 1) @ model.out.weight.T + model.out.bias
    assert torch.allclose(model(tokens), answer, atol=1e-6)
    assert model.embed.weight.abs().max() <= 0.05


def test_the_convolution_answers_texts_of_any_length_that_it_was_built_for(page):
    for length in (8, 10, 90):
        assert page["ConvText"](50, length)(torch.randint(0, 50, (4, length))).shape == (4, 1)


def test_the_mean_is_one_number_for_each_word_whatever_the_order_and_the_padding(page):
    torch.manual_seed(0)
    model, tokens = page["MeanText"](50), torch.tensor([[0, 0, 3, 9, 9]])
    numbers = (model.embed.weight @ model.out.weight.T)[:, 0]
    assert torch.allclose(model(tokens)[0, 0], numbers[[3, 9, 9]].mean() + model.out.bias[0], atol=1e-6)
    assert torch.allclose(model(tokens), model(torch.tensor([[9, 3, 9, 0, 0]])), atol=1e-6)


def test_the_variants_differ_from_the_dense_network_as_their_names_say(page):
    build = page["build"]
    assert (
        not build("dense-frozen", 50, 8).embed.weight.requires_grad and build("dense", 50, 8).embed.weight.requires_grad
    )
    assert build("dense-normal", 50, 8).embed.weight.std() > 0.8
    assert [c.out_channels for c in build("conv-text", 50, 8).body if isinstance(c, nn.Conv1d)] == [32, 64]


@pytest.mark.parametrize("word_was_read", [True, False])
def test_under_the_penalty_adam_brings_a_word_that_is_never_read_to_zero(page, word_was_read):
    torch.manual_seed(0)
    model = page["MeanText"](10)
    optimizer, tokens = page["optimizer_of"](model), torch.tensor([[2, 3], [4, 5 if word_was_read else 4]])
    for _ in range(120):
        loss = F.binary_cross_entropy_with_logits(model(tokens), torch.tensor([[1.0], [0.0]]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    size = page["vectors"](model)[5].norm()
    assert size > 0.05 if word_was_read else size < 1e-3


# ------------------------------------------------------------------------------------------------------ what is measured


@pytest.fixture
def words(page):
    """The page with a made-up vocabulary that holds its words, and a table of vectors."""
    asked = [word for pairs in page["PAIRS"].values() for pair in pairs for word in pair] + page["PROBES"]
    vocabulary = ["(padding)", "(unknown)", *dict.fromkeys(asked), *(f"word{i}" for i in range(60))]
    page["at"] = {word: token for token, word in enumerate(vocabulary)}
    page["splits"] = replace(load_dataset("invented_reviews", n_train=2, n_val=2), vocabulary=tuple(vocabulary))
    return page, vocabulary, torch.randn(len(vocabulary), 7, generator=torch.Generator().manual_seed(0))


def test_both_lists_hold_ten_pairs_of_different_words(page):
    for pairs in page["PAIRS"].values():
        assert len(pairs) == 10 and len({word for pair in pairs for word in pair}) == 20


def test_cosines_are_those_of_scikit_learn(words):
    page, vocabulary, table = words
    found = page["synonyms"](table)
    for name, pairs in page["PAIRS"].items():
        first, second = ([vocabulary.index(word) for word in side] for side in zip(*pairs, strict=True))
        assert found[name] == pytest.approx(cosine_similarity(table[first], table[second]).flatten(), abs=1e-5)
    a, b = (vocabulary.index(word) for word in page["OWN"])
    cosines = cosine_similarity(table[[a]], table[2:])[0]
    nearer = sum(cosine > cosines[b - 2] for i, cosine in enumerate(cosines) if i != a - 2)
    assert found["own"] == pytest.approx([cosines[b - 2], nearer / len(cosines)], abs=1e-5)


def test_neighbours_are_those_of_scikit_learn_and_come_back_from_their_bytes(words):
    page, vocabulary, table = words
    found = bytes(page["neighbours"](table)).decode().split()
    search = NearestNeighbors(n_neighbors=6, metric="cosine").fit(table[2:])
    for i, word in enumerate(page["PROBES"]):
        near = search.kneighbors(table[[vocabulary.index(word)]], return_distance=False)[0]
        assert found[5 * i : 5 * i + 5] == [vocabulary[n + 2] for n in near if vocabulary[n + 2] != word]


def test_the_axes_are_the_principal_components_of_scikit_learn(page):
    generator = torch.Generator().manual_seed(1)
    table, ratio = torch.randn(500, 6, generator=generator), torch.randn(498, generator=generator)
    table[2:, 0] += 2 * ratio
    shares, along, plane = page["axes_of"](table, ratio, frequent=300)
    pca = PCA(5).fit(table[2:302].double())
    places = pca.transform(table[2:].double())
    assert shares == pytest.approx(pca.explained_variance_ratio_, abs=1e-6)
    assert np.abs(plane[:, 0]) == pytest.approx(np.abs(places[:, 0]), abs=1e-6)
    assert along == pytest.approx(abs(np.corrcoef(places[:300, 0], ratio[:300])[0, 1]), abs=1e-6)
    assert np.corrcoef(plane[:300, 0], ratio[:300])[0, 1] > 0


def test_the_log_ratio_is_that_of_naive_bayes(page):
    splits = reviews_of(page, n_train=60, n_val=2)
    counts = page["counts_of"](splits.train)[:, 2:]
    model = MultinomialNB(alpha=1).fit(counts, splits.train.targets[:, 0].numpy())
    theirs = model.feature_log_prob_[1] - model.feature_log_prob_[0]
    assert page["log_ratio"](splits.train).numpy() == pytest.approx(theirs, abs=1e-4)


def test_the_baseline_is_what_scikit_learn_makes_of_the_words_themselves(page):
    splits = reviews_of(page, n_train=300, n_val=200)
    texts = [
        [" ".join(splits.vocabulary[token].strip("()") for token in row[row != 0]) for row in part.inputs]
        for part in (splits.train, splits.val)
    ]
    answers = [part.targets[:, 0].numpy() for part in (splits.train, splits.val)]
    weigh = TfidfVectorizer().fit(texts[0])
    model = LogisticRegression(max_iter=1_000).fit(weigh.transform(texts[0]), answers[0])
    scores = [model.score(weigh.transform(text), truth) for text, truth in zip(texts, answers, strict=True)]
    assert page["logistic"](splits)[:2] == pytest.approx(scores, abs=0.01)


# -------------------------------------------------------------------------------------------------------------------------


def test_the_picture_gives_each_of_five_words_a_vector_of_four_numbers_in_three_ways():
    picture = ElementTree.parse(ROOT / "book" / "static" / "ideas" / "text-embeddings.svg").getroot()
    cells = [box for box in picture if box.tag.endswith("rect") and box.get("height") == "10"]
    lines = [path for path in picture if path.tag.endswith("path") and path.get("stroke-width") == "0.8"]
    assert len(cells) == 4 * 5 * 4 + 4 and len(lines) == 5 * 4


def test_the_works_that_it_builds_on_lead_back_to_it():
    assert {"iyyer2015deep", "mikolov2013efficient", "pham2021out", "maas2011learning"} <= set(
        works_cited("text-embeddings")
    )


WORDS = ["word2vec", "word embedding", "word order", "cosine similarity"]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/text-embeddings" in search(words)


def test_what_the_page_says_of_every_pair_and_every_run_the_record_says():
    def runs(network):
        return load_record("text-embeddings").select(network=network, penalty=1e-4, side="front")

    ahead = [
        bag.last("val_accuracy") - dense.last("val_accuracy")
        for bag, dense in zip(*map(runs, ("bag", "dense")), strict=True)
    ]
    assert len(ahead) == 5 and min(ahead) > 0  # "behind the bag of words in every pair"
    lost = {
        network: [run.extras["order"][0] - run.extras["order"][1] for run in runs(network)]
        for network in ("dense", "conv")
    }
    assert all(
        0 < d < c for d, c in zip(lost["dense"], lost["conv"], strict=True)
    )  # "the convolution more, in every run"
    assert sum(lost["dense"]) / 5 == pytest.approx(0.01, abs=0.005)  # "about a hundredth"
    best = {run.seed: max(run.history.val_accuracy) for run in runs("dense")}
    assert verdicts.check_metric("E-emb-acc", best).status == "agrees"  # "in the best epoch 0.89 would agree"
    assert any(value >= 0.885 for value in best.values())  # "one of our five runs rounds to it there"
    last = verdicts.check_metric("E-emb-acc", {run.seed: run.last("val_accuracy") for run in runs("dense")})
    assert last.status == "differs" and 0 < 0.89 - last.interval[1] < 0.0005  # "ends a hair below it"


def test_what_the_page_says_of_penalties_and_directions_the_record_says():
    def runs(network, penalty=1e-4):
        return load_record("text-embeddings").select(network=network, penalty=penalty, side="front")

    def mean(values):
        values = list(values)
        return sum(values) / len(values)

    def gap(network, penalty):
        return mean(run.last("train_accuracy") - run.last("val_accuracy") for run in runs(network, penalty))

    free = [run.history.val_accuracy for run in runs("mean", 0.0)]
    others = [run.last("val_accuracy") for name in ("dense", "conv") for run in runs(name)]
    assert 0 < mean(others) - mean(curve[-1] for curve in free) < 0.015  # "within a hundredth or so of both"
    assert all(curve[-1] == max(curve) > curve[-2] for curve in free)  # "still rising"
    assert 0.7 < 1 - gap("dense", 1e-3) / gap("dense", 1e-4) < 0.8  # "by three quarters"
    assert 0.25 < 1 - gap("bag", 1e-3) / gap("bag", 1e-4) < 0.42  # "by a third"
    first = {
        pair: mean(run.extras["variance"][0] for run in runs(*pair))
        for pair in [("conv", 1e-4), ("dense", 1e-4), ("dense", 1e-3)]
    }
    assert first["conv", 1e-4] < first["dense", 1e-4] / 3 and first["dense", 1e-3] > 0.9
