"""A data set in its parts: inputs and targets for training and for validation; tables on one scale."""

import hashlib
from dataclasses import KW_ONLY, dataclass, replace
from numbers import Integral

import numpy as np
import torch

from companion.data.files import DataError


@dataclass(frozen=True)
class Split:
    """Inputs (N, ...) and their targets (N, ...): one target for each input, or ValueError.

    Pictures are inputs (N, C, H, W), also called `images`; classes are targets (N,), integers from 0, also called `labels`. Sequences
    are tokens (N, T) or frames (N, T, F), tables are floats (N, F).

    **Bytes are pictures.** `fit`, `evaluate` and `predict` turn inputs of torch.uint8 into floats in [-1, 1] (by `as_input`: 0
    becomes -1, 255 becomes 1) and hand on any other dtype as it is. So pictures may lie here as bytes, a quarter of the
    memory; but what is no picture, such as a bag of words of zeros and ones, must not be uint8: it would arrive as
    -1 and -0.99. And who wants pictures in [0, 1] hands over floats. Targets are never changed.
    """

    inputs: torch.Tensor
    targets: torch.Tensor

    def __post_init__(self):
        if len(self.inputs) != len(self.targets):
            raise ValueError(
                f"a split has one target (label) for each input (image), not {len(self.targets):,} for {len(self.inputs):,}"
            )

    def __len__(self):
        return len(self.targets)

    @property
    def images(self):
        return self.inputs

    @property
    def labels(self):
        return self.targets


@dataclass(frozen=True)
class Splits:
    """A data set in its parts. `fingerprint` is the SHA-256 of its decoded arrays, `source` the packaging it came in.

    `classes` names the classes, in the order of their numbers; where there are none, the targets are no classes
    (regression, reconstruction). `vocabulary` says what each token means, where the inputs are tokens; `columns` what each column
    is, where they are a table.
    """

    train: Split
    val: Split
    _: KW_ONLY
    classes: tuple = ()
    name: str
    fingerprint: str
    source: str
    vocabulary: tuple = ()
    columns: tuple = ()
    test: Split | None = None


def standardise(splits):
    """The splits of a table (N, F) of floats, each column with mean 0 and deviation 1 over the training part.

    The mean and the deviation (of all N, not of N - 1) come from the training part alone and serve all parts, so nothing of
    the validation part is known before its time. Targets stay as they are. Raises ValueError, naming the column, on a value that is
    no finite number and on a column that is constant in the training part: it has no deviation to divide by, and tells
    nothing apart.
    """
    parts = {name: getattr(splits, name) for name in ("train", "val", "test") if getattr(splits, name) is not None}
    for part in parts.values():
        if part.inputs.dim() != 2 or not part.inputs.is_floating_point():
            kind = f"{str(part.inputs.dtype).removeprefix('torch.')} of the shape {tuple(part.inputs.shape)}"
            raise ValueError(f"standardise takes a table of floats, (N, F), not {kind}")
    train = parts["train"].inputs.double()
    if len(train) == 0:
        raise ValueError("the training part is empty: it has no mean and no deviation")
    for part, split in parts.items():
        bad = ~split.inputs.isfinite()
        if bad.any():
            row, column = bad.nonzero()[0].tolist()
            raise ValueError(
                f"{_column(splits, column)} holds {split.inputs[row, column].item()} in row {row} (counted from 0) of the {part} "
                "part: leave such rows out, or put in a number of your choice, before standardising"
            )
    constant = (train == train[0]).all(0)
    if constant.any():
        column = constant.nonzero()[0].item()
        raise ValueError(
            f"{_column(splits, column)} is constant in the training part ({train[0, column].item():g} in all {len(train):,} "
            "rows) and cannot be standardised: leave it out"
        )
    mean, deviation = train.mean(0), train.std(0, correction=0)
    scaled = {
        name: replace(part, inputs=((part.inputs.double() - mean) / deviation).to(part.inputs.dtype))
        for name, part in parts.items()
    }
    return replace(splits, **scaled)


def _column(splits, number):
    known = number < len(splits.columns)
    return f"the column {splits.columns[number]!r}" if known else f"column {number} (counted from 0)"


def fingerprint(*arrays):
    """SHA-256 over shapes and bytes of the arrays, in order, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for array in arrays:
        array = np.ascontiguousarray(array)
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array)
    return digest.hexdigest()


def as_split(inputs, labels):
    """The arrays as tensors of their own, so that writing to them changes nothing else."""
    inputs, labels = np.array(inputs, order="C"), np.array(labels, dtype=np.int64)
    return Split(torch.from_numpy(inputs), torch.from_numpy(labels))


def is_whole(number):
    """Is it an integer, of Python's or of NumPy's, and not True or False?"""
    return isinstance(number, Integral) and not isinstance(number, bool)


def check_split(split):
    """Raise DataError unless `split` is a whole number from 0 on, that is a seed."""
    if not is_whole(split) or not 0 <= split < 2**32:
        raise DataError(f"split is the number of a split into training and validation: 0, 1, 2, ..., not {split!r}.")


def check_fold(held_out, folds, what):
    """Raise DataError unless `held_out` is a whole number from 0 to folds - 1; `what` names such a part in the sentence."""
    if not is_whole(held_out) or held_out not in range(folds):
        choice = f"0 to {folds - 1}" if folds > 1 else "always 0"
        raise DataError(f"held_out is the number of the {what} kept for validation: {choice}, not {held_out!r}.")
