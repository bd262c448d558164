"""Texts as tokens (N, T), 0 after each end: what is checked before a network reads them, and their words in another order."""

import torch


def check_tokens(tokens, size):
    """Raise ValueError unless `tokens` (N, T) are whole numbers from 0 to size - 1 and each row has a word.

    A vocabulary of `size` tokens counts the padding, 0. Without this check an embedding stops with "index out of range", on a
    GPU with an assertion of the device, and a review of padding alone is answered by the biases.
    """
    if tokens.dim() != 2 or tokens.is_floating_point() or tokens.is_complex() or tokens.dtype == torch.bool:
        kind = f"{str(tokens.dtype).removeprefix('torch.')} of the shape {tuple(tokens.shape)}"
        raise ValueError(f"tokens are whole numbers, a row for each text (N, T), not {kind}")
    outside = (tokens < 0) | (tokens >= size)
    if outside.any():
        row, place = outside.nonzero()[0].tolist()
        raise ValueError(
            f"text {row} holds the token {tokens[row, place].item()} at place {place} (both counted from 0), but the vocabulary has "
            f"{size:,} tokens, 0 to {size - 1}: encode the text with the vocabulary that the network was built for (1 stands for "
            "an unknown word)"
        )
    empty = ~(tokens != 0).any(1)
    if empty.any():
        raise ValueError(
            f"text {empty.nonzero()[0].item()} (counted from 0) is empty, nothing but padding: there is nothing to judge, so "
            "leave it out"
        )


def shuffle_words(tokens, seed):
    """The tokens (N, T) with the words of each row in another order, drawn with `seed`; the padding stays where it is.

    So a bag of words is the same before and after. The tensor itself is not changed.
    """
    keys = torch.rand(tokens.shape, generator=torch.Generator().manual_seed(seed))
    words = tokens.cpu() != 0
    # The places of the words from left to right, then those of the padding; and the same with the words shuffled.
    before = (~words).long().argsort(dim=1, stable=True)
    after = keys.masked_fill(~words, 2).argsort(dim=1, stable=True)
    before, after = before.to(tokens.device), after.to(tokens.device)
    return torch.empty_like(tokens).scatter_(1, before, tokens.gather(1, after))
