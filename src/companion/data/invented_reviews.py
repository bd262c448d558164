"""Invented reviews in an invented language, whose best possible answer is known: the embedded stand-in for film reviews."""

from functools import cache

import numpy as np
import torch

from companion.data.files import DataError
from companion.data.padding import pad, sequence_split
from companion.data.splits import Splits, fingerprint, is_whole

SIZE = 2_000  # tokens of the vocabulary, with padding (0) and unknown (1)
UNKNOWN_SHARE = 0.02  # of the words, in both classes alike
SHORTEST, LONGEST = 30, 90  # words of a review, equally likely
PAIRS = 40  # of synonyms
_CONSONANTS, _VOWELS = "lmnrstv", "aeiou"


def load_invented_reviews(seed=0, n_train=1_000, n_val=2_000):
    """Reviews of invented words as tokens (N, 90), in the form of `load_imdb`: half of each part negative, half positive.

    A vocabulary of 2,000 tokens, of which 1,998 are words with frequencies that fall as Zipf's law says and with log-odds of
    their own, `word_log_odds()`; rare words have the larger ones. The words of a review, 30 to 90, are drawn independently, so
    that the sum of their log-odds is all that can be known, and `best_answers(tokens)` cannot be beaten but by luck. Of each
    pair of `synonym_pairs()` the training part shows only the first word. Another `seed` draws other reviews in the same
    language.
    """
    if not is_whole(seed) or not 0 <= seed < 2**32:
        raise DataError(f"seed is the seed of the reviews, a whole number from 0, not {seed!r}.")
    for name, count in (("n_train", n_train), ("n_val", n_val)):
        if not is_whole(count) or count < 2:
            raise DataError(f"{name} is a number of reviews, two or more, not {count!r}.")
    rng = np.random.RandomState(seed)
    chances = _language()[0]
    parts = []
    for count in (n_train, n_val):
        labels = rng.permutation(np.arange(count) % 2)
        lengths = rng.randint(SHORTEST, LONGEST + 1, size=count)
        texts = [rng.choice(SIZE, size=n, p=chances[label]) for n, label in zip(lengths, labels, strict=True)]
        parts.append((pad(texts, LONGEST), labels))
    (train, train_labels), (val, val_labels) = parts
    for shown, hidden in synonym_pairs():
        train[train == hidden] = shown
    return Splits(
        train=sequence_split(train, train_labels),
        val=sequence_split(val, val_labels),
        classes=("negative", "positive"),
        name="invented reviews",
        fingerprint=fingerprint(train.numpy(), train_labels, val.numpy(), val_labels),
        source="generated",
        vocabulary=("(padding)", "(unknown)", *map(_invented_word, range(SIZE - 2))),
    )


def word_log_odds():
    """What each token says: log p(token | positive) - log p(token | negative), (2000,) in float64; 0 for padding and unknown."""
    return torch.from_numpy(_language()[1].copy())


def best_answers(tokens):
    """Bayes' classifier for tokens (N, T) of invented reviews: the class, (N,), that is the likelier one, given the whole language."""
    return (word_log_odds()[tokens.long()].sum(1) > 0).long()


def synonym_pairs():
    """Pairs of tokens with equal frequencies and equal log-odds, of which training shows only the first: ((102, 103), ...)."""
    return tuple((shown, shown + 1) for shown in range(102, 102 + 20 * PAIRS, 20))


@cache
def _language():
    """The chances of the tokens in either class, (2, SIZE), and their log-odds, (SIZE,)."""
    rank = np.arange(SIZE - 2)
    frequency = 1 / (rank + 10)  # Zipf's law, flattened at its head as Mandelbrot proposed
    opinion = np.random.RandomState(0).normal(0, 0.5, SIZE - 2) * np.clip(np.sqrt(rank / 40), 0.05, 1)
    for number, (shown, hidden) in enumerate(synonym_pairs()):
        both = [shown - 2, hidden - 2]
        frequency[both] = frequency[both].mean()
        opinion[both] = 0.8 * (-1) ** number
    opinion = opinion.round(3)  # the same on every machine
    chances = np.zeros((2, SIZE))
    chances[:, 1] = UNKNOWN_SHARE
    for label, sign in ((0, -1), (1, 1)):
        weight = frequency * np.exp(sign * opinion / 2)
        chances[label, 2:] = (1 - UNKNOWN_SHARE) * weight / weight.sum()
    log_odds = np.zeros(SIZE)
    log_odds[1:] = np.log(chances[1, 1:] / chances[0, 1:])
    return chances, log_odds


def _invented_word(number):
    """Three syllables, another three for each number."""
    syllables = len(_CONSONANTS) * len(_VOWELS)
    number, word = (number * 7_919 + 17) % syllables**3, ""
    for _ in range(3):
        number, syllable = divmod(number, syllables)
        word += _CONSONANTS[syllable // len(_VOWELS)] + _VOWELS[syllable % len(_VOWELS)]
    return word
