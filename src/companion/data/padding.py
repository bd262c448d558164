"""Sequences of different lengths in one tensor, with zeros after each end."""

import numpy as np
import torch

from companion.data.splits import Split


def pad(sequences, length=None):
    """Lists of tokens as one tensor (N, length) of int32, with 0 after each end; `length` defaults to the longest."""
    check_not_empty(sequences)
    length = length or max(map(len, sequences), default=0)
    out = np.zeros((len(sequences), length), np.int32)
    for row, tokens in zip(out, sequences, strict=True):
        row[: len(tokens)] = tokens
    return torch.from_numpy(out)


def pad_frames(spectrograms):
    """Spectrograms (T, F), each of its own length, as one tensor (N, longest, F), with zeros after each end."""
    check_not_empty(spectrograms)
    return torch.nn.utils.rnn.pad_sequence(spectrograms, batch_first=True)


def check_not_empty(sequences):
    """An empty sequence would be nothing but padding, and a network has nothing to say about that."""
    for i, sequence in enumerate(sequences):
        if len(sequence) == 0:
            raise ValueError(f"sequence {i} (counted from 0) is empty")


def sequence_split(inputs, labels):
    """Sequences (N, T) or (N, T, F) and their classes (N,) as a split."""
    return Split(inputs.contiguous(), torch.as_tensor(labels, dtype=torch.int64))
