"""A share of the training images, for learning curves."""

from dataclasses import replace

import numpy as np
import torch

from companion.data.files import DataError
from companion.data.splits import Split, check_split, is_whole


def training_share(splits, images, seed):
    """The splits with only so many of their training images, drawn by `seed`; the other parts stay as they are.

    All of them, in their own order, where `images` is their number. Raises DataError where there are not as many, and where
    a class is left without any.
    """
    there = len(splits.train)
    if not is_whole(images) or not 1 <= images <= there:
        raise DataError(
            f"images is how many of the {there:,} training images to take, a whole number from 1 on, not {images!r}."
        )
    check_split(seed)
    if images == there:
        return splits
    chosen = torch.from_numpy(np.random.RandomState(seed).permutation(there)[:images])
    labels = splits.train.labels[chosen]
    missing = [name for number, name in enumerate(splits.classes) if not (labels == number).any()]
    if missing:
        raise DataError(
            f"a share of {images:,} images holds none of class {', '.join(missing)}: take more, or another seed."
        )
    return replace(splits, train=Split(splits.train.inputs[chosen], labels))
