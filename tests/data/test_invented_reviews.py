"""Invented reviews, and the best that anybody can say of them."""

import math

import numpy as np
import pytest
import torch
from data_files import assert_equal_splits, assert_padding_follows_the_end, refusal
from sklearn.linear_model import LogisticRegression

from companion.data.invented_reviews import best_answers, load_invented_reviews, synonym_pairs, word_log_odds
from companion.data.tokens import check_tokens


@pytest.fixture(scope="module")
def splits():
    return load_invented_reviews()


def counts(tokens):
    return torch.stack([row.bincount(minlength=2_000) for row in tokens.long()])[:, 1:].numpy()


def test_the_reviews_have_the_form_of_the_film_reviews(splits):
    assert len(splits.vocabulary) == len(set(splits.vocabulary)) == 2_000
    assert splits.vocabulary[:2] == ("(padding)", "(unknown)") and splits.classes == ("negative", "positive")
    for part, size in ((splits.train, 1_000), (splits.val, 2_000)):
        assert part.inputs.shape == (size, 90) and part.inputs.dtype == torch.int32
        assert part.labels.bincount().tolist() == [size // 2] * 2
        check_tokens(part.inputs, 2_000)
        lengths = (part.inputs != 0).sum(1)
        assert_padding_follows_the_end(part.inputs, lengths.tolist())
        assert lengths.min() >= 30 and 58 < lengths.float().mean() < 62
    assert splits.fingerprint.startswith("0dd45f8b8a9d")


def test_the_log_odds_are_those_of_the_reviews_themselves(splits):
    """A second witness: the log-ratio of counts in many reviews, for the words that are common enough."""
    many = load_invented_reviews(seed=7, n_train=2, n_val=20_000).val
    seen = [many.inputs[many.labels == c].flatten().bincount(minlength=2_000).double() for c in (0, 1)]
    common = torch.stack(seen).min(0).values[1:] > 1_000
    measured = (seen[1][1:] / seen[1][1:].sum()).log() - (seen[0][1:] / seen[0][1:].sum()).log()
    off = (measured - word_log_odds()[1:])[common]
    assert common.sum() > 60 and off.abs().max() < 4 * math.sqrt(2 / 1_000) and off.mean().abs() < 0.01


def test_frequencies_fall_as_zipf_says(splits):
    words = torch.cat([splits.train.inputs.flatten(), splits.val.inputs.flatten()]).bincount(minlength=2_000)
    slope = np.polyfit(np.log(np.arange(60, 1_000)), np.log(words[62:1_002].numpy() + 0.5), 1)[0]
    assert -1.15 < slope < -0.8


def test_nobody_beats_the_best_answers(splits):
    best = (best_answers(splits.val.inputs) == splits.val.labels).float().mean().item()
    learned = LogisticRegression(max_iter=2_000).fit(counts(splits.train.inputs), splits.train.labels)
    assert 0.94 < best < 0.97
    assert 0.8 < learned.score(counts(splits.val.inputs), splits.val.labels) < best - 0.03


def test_padding_says_nothing_and_neither_does_an_unknown_word():
    assert word_log_odds()[:2].tolist() == [0, 0] and word_log_odds().shape == (2_000,)
    row = load_invented_reviews(n_train=2, n_val=2).val.inputs
    wider = torch.cat([row, torch.zeros(2, 5, dtype=row.dtype), torch.ones(2, 1, dtype=row.dtype)], 1)
    assert torch.equal(best_answers(row), best_answers(wider))


def test_of_each_pair_of_synonyms_training_shows_only_the_first(splits):
    pairs, log_odds = synonym_pairs(), word_log_odds()
    assert len(pairs) == 40 == len({token for pair in pairs for token in pair}) // 2
    shown, hidden = (torch.tensor(side) for side in zip(*pairs, strict=True))
    assert torch.equal(log_odds[shown], log_odds[hidden]) and (log_odds[shown].abs() > 0.7).all()
    assert (log_odds[shown] > 0).sum() == 20
    in_training, in_validation = (
        part.inputs.flatten().bincount(minlength=2_000) for part in (splits.train, splits.val)
    )
    assert (in_training[shown] > 0).all() and not in_training[hidden].any() and (in_validation[hidden] > 0).all()
    assert abs(in_validation[shown].sum() / in_validation[hidden].sum() - 1) < 0.1


def test_another_seed_draws_other_reviews_in_the_same_language(splits):
    other = load_invented_reviews(seed=1)
    assert other.vocabulary == splits.vocabulary and not torch.equal(other.train.inputs, splits.train.inputs)
    assert_equal_splits(load_invented_reviews(), splits)


@pytest.mark.parametrize("option", ["seed", "n_train", "n_val"])
@pytest.mark.parametrize("value", [-1, "3", 1.5, True, None])
def test_numbers_that_draw_no_reviews_are_refused(option, value):
    message = refusal(lambda: load_invented_reviews(**{option: value}))
    assert message.startswith(f"{option} is") and message.endswith(f"not {value!r}.")
