"""A share of the training examples, drawn at random, for a learning curve over the number of examples."""

from dataclasses import replace
from numbers import Real

import torch

from companion.data.splits import Split


def take_share(splits, share, seed=0, copies=1):
    """The splits with a random share of the training examples; validation and test stay whole.

    `share` is above 0 and at most 1, and round(share · N) examples are taken. `seed` fixes the order from which they are
    taken, so that a smaller share of the same seed lies within a larger one; the classes are not balanced. `copies` repeats
    each of them, so that an epoch has that many times the steps. Raises ValueError when the share or the copies make no
    sense, when the labels are no classes (one-hot, say), and when a class would be left without an example.
    """
    train = splits.train
    if isinstance(share, bool) or not isinstance(share, Real) or not 0 < share <= 1:
        raise ValueError(f"a share of the training examples is above 0 and at most 1, not {share!r}")
    if isinstance(copies, bool) or not isinstance(copies, int) or copies < 1:
        raise ValueError(f"copies is how often each example is repeated, 1 or more, not {copies!r}")
    check_classes(train.targets)
    count = round(share * len(train))
    chosen = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))[:count]
    missing = set(train.targets.tolist()) - set(train.targets[chosen].tolist())
    if missing:
        names = ", ".join(str(splits.classes[c] if c < len(splits.classes) else c) for c in sorted(missing))
        raise ValueError(
            f"among {count:,} of {len(train):,} training examples (share {share:g}, seed {seed}) there is none of the "
            f"class {names}: what has no example cannot be learned; take a larger share or another seed"
        )
    chosen = chosen.repeat(copies)
    return replace(splits, train=Split(train.inputs[chosen], train.targets[chosen]))


def check_classes(labels):
    """Raise ValueError unless the labels are classes (N,), whole numbers; one-hot rows are named as what they are."""
    whole = not (labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool)
    if labels.dim() == 1 and whole:
        return
    shape = f"a tensor {tuple(labels.shape)} of {str(labels.dtype).removeprefix('torch.')}"
    if labels.dim() == 2 and ((labels == 0) | (labels == 1)).all() and (labels.sum(1) == 1).all():
        raise ValueError(
            f"the labels are one-hot rows, {shape}: classes are meant, which labels.argmax(1) makes of them"
        )
    raise ValueError(f"the labels are to be classes, whole numbers (N,), and not {shape}")
