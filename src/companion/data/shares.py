"""A share of the training examples, drawn at random, for learning curves over the number of examples."""

from dataclasses import replace

import numpy as np
import torch

from companion.data.files import DataError
from companion.data.splits import Split, check_split, is_whole


def training_share(splits, count, seed, copies=1):
    """The splits with only `count` of their training examples, drawn by `seed`; the other parts stay as they are.

    A smaller share of a seed lies within a larger one; the classes are not balanced. All examples stay in their own order
    where `count` is their number. `copies` repeats each of them, so that an epoch has that many times the steps. Raises
    DataError when there are not as many, when the labels are no classes (one-hot, say), and when a class is left without
    an example.
    """
    train = splits.train
    there = len(train)
    if not is_whole(count) or not 1 <= count <= there:
        raise DataError(
            f"count is how many of the {there:,} training examples to take, a whole number from 1 on, not {count!r}."
        )
    if not is_whole(copies) or copies < 1:
        raise DataError(f"copies is how often each example is repeated, 1 or more, not {copies!r}.")
    check_split(seed)
    check_classes(train.targets)
    chosen = torch.arange(there)
    if count < there:
        chosen = torch.from_numpy(np.random.RandomState(seed).permutation(there)[:count])
    missing = set(train.targets.tolist()) - set(train.targets[chosen].tolist())
    if missing:
        names = ", ".join(str(splits.classes[c] if c < len(splits.classes) else c) for c in sorted(missing))
        raise DataError(
            f"A share of {count:,} of the {there:,} training examples (seed {seed}) holds none of the class {names}: what has no "
            "example cannot be learned. Take more of them, or another seed."
        )
    chosen = chosen.repeat(copies)
    return replace(splits, train=Split(train.inputs[chosen], train.targets[chosen]))


def check_classes(labels):
    """Raise DataError unless the labels are classes (N,), whole numbers; one-hot rows are named as what they are."""
    whole = not (labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool)
    if labels.dim() == 1 and whole:
        return
    shape = f"a tensor {tuple(labels.shape)} of {str(labels.dtype).removeprefix('torch.')}"
    if labels.dim() == 2 and ((labels == 0) | (labels == 1)).all() and (labels.sum(1) == 1).all():
        raise DataError(
            f"The labels are one-hot rows, {shape}: classes are meant, which labels.argmax(1) makes of them."
        )
    raise DataError(f"The labels are to be classes, whole numbers (N,), and not {shape}.")
