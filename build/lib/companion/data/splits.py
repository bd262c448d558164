"""A data set in its parts: inputs and targets for training and for validation."""

import hashlib
from dataclasses import dataclass
from numbers import Integral

import numpy as np
import torch

from companion.data.files import DataError


@dataclass(frozen=True)
class Split:
    """Images (N, C, H, W) as bytes 0..255, and their labels (N,) as integers from 0.

    For sequences, `images` holds tokens (N, T) or frames (N, T, F), also called `inputs`.
    """

    images: torch.Tensor
    labels: torch.Tensor

    def __post_init__(self):
        assert len(self.images) == len(self.labels), "one label for each image"

    def __len__(self):
        return len(self.labels)

    @property
    def inputs(self):
        return self.images


@dataclass(frozen=True)
class Splits:
    """A data set in its parts. `fingerprint` is the SHA-256 of its decoded arrays, `source` the packaging it came in.

    `vocabulary` says what each token means, where the inputs are tokens.
    """

    train: Split
    val: Split
    test: Split | None
    classes: tuple
    name: str
    fingerprint: str
    source: str
    vocabulary: tuple = ()


def fingerprint(*arrays):
    """SHA-256 over shapes and bytes of the arrays, in order, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for array in arrays:
        array = np.ascontiguousarray(array)
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array)
    return digest.hexdigest()


def as_split(images, labels):
    """The arrays as tensors of their own, so that writing to them changes nothing else."""
    images, labels = np.array(images, order="C"), np.array(labels, dtype=np.int64)
    return Split(torch.from_numpy(images), torch.from_numpy(labels))


def is_whole(number):
    """Is it an integer, of Python's or of NumPy's, and not True or False?"""
    return isinstance(number, Integral) and not isinstance(number, bool)


def check_fold(held_out, folds, what):
    """Raise DataError unless `held_out` is a whole number from 0 to folds - 1; `what` names such a part in the sentence."""
    if not is_whole(held_out) or held_out not in range(folds):
        choice = f"0 to {folds - 1}" if folds > 1 else "always 0"
        raise DataError(f"held_out is the number of the {what} kept for validation: {choice}, not {held_out!r}.")
