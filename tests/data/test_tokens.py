"""Tokens that a network may read, and words in another order."""

import pytest
import torch

from companion.data.tokens import check_tokens, shuffle_words

GOOD = [[3, 1, 0, 0], [9, 9, 9, 9], [0, 0, 2, 5]]


def test_tokens_of_the_vocabulary_are_accepted_wherever_the_padding_is():
    assert check_tokens(torch.tensor(GOOD), 10) is None
    assert check_tokens(torch.tensor(GOOD, dtype=torch.int32), 10) is None


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([[1, 2], [3, 10]], "text 1 holds the token 10 at place 1 .* has 10 tokens, 0 to 9: encode the text with"),
        ([[1, -1]], "text 0 holds the token -1 at place 1"),
        ([[1, 2], [0, 0]], "text 1 .* is empty, nothing but padding: .* leave it out"),
        ([[1.0, 2.0]], r"whole numbers, a row for each text \(N, T\), not float32 of the shape \(1, 2\)"),
        ([1, 2], r"not int64 of the shape \(2,\)"),
        ([[True, False]], "not bool"),
    ],
    ids=["too large", "negative", "empty", "floats", "one text", "truth values"],
)
def test_tokens_that_cannot_be_read_are_named_with_what_to_do(tokens, message):
    with pytest.raises(ValueError, match=message):
        check_tokens(torch.tensor(tokens), 10)


def test_a_text_without_places_is_empty():
    with pytest.raises(ValueError, match="is empty, nothing but padding"):
        check_tokens(torch.zeros(2, 0, dtype=torch.int32), 10)


def test_shuffled_reviews_keep_their_words_and_their_padding():
    torch.manual_seed(0)
    tokens = torch.randint(0, 5, (50, 12), dtype=torch.int32)  # with zeros anywhere
    kept = tokens.clone()
    shuffled = shuffle_words(tokens, seed=0)
    assert torch.equal(tokens, kept) and shuffled.dtype == tokens.dtype
    assert torch.equal(shuffled == 0, tokens == 0)
    assert torch.equal(shuffled.sort(1).values, tokens.sort(1).values)
    assert not torch.equal(shuffled, tokens)


def test_each_row_is_shuffled_in_its_own_way_and_the_seed_decides():
    tokens = torch.arange(1, 9).repeat(200, 1)
    shuffled = shuffle_words(tokens, seed=3)
    assert torch.equal(shuffled, shuffle_words(tokens, seed=3)) and not torch.equal(
        shuffled, shuffle_words(tokens, seed=4)
    )
    assert len({tuple(row) for row in shuffled.tolist()}) > 190
    first = shuffled[:, 0].bincount(minlength=9)[1:]  # each word comes first about 25 times
    assert first.min() > 8 and first.max() < 50
