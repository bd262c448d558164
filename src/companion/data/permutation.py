"""One permutation of the pixels, the same for all pictures of a data set."""

from dataclasses import replace

import numpy as np
import torch

from companion.data.files import DataError
from companion.data.splits import check_split, is_whole


def pixel_permutation(pixels, seed):
    """A random order of the numbers 0 to pixels - 1, a tensor (pixels,); `seed` is a whole number from 0 on."""
    if not is_whole(pixels) or pixels < 1:
        raise DataError(f"a picture has at least one pixel, not {pixels!r}.")
    check_split(seed)
    return torch.from_numpy(np.random.RandomState(seed).permutation(int(pixels)))  # a stream that NumPy has frozen


def inverse_permutation(order):
    """The order that puts everything back: x[order][inverse_permutation(order)] is x. Raises DataError like `permuted`."""
    return torch.argsort(check_permutation(order))


def check_permutation(order, pixels=None):
    """The order as a tensor of whole numbers. Raises DataError unless it holds each of 0 to pixels - 1 exactly once."""
    try:
        order = torch.as_tensor(order)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"a permutation is a list of whole numbers, and this is none: {error}.") from error
    if order.dim() != 1 or not len(order) or order.is_floating_point() or order.dtype == torch.bool:
        raise DataError(
            f"a permutation is a list of whole numbers, one for each pixel, not a tensor {tuple(order.shape)} of {order.dtype}."
        )
    pixels = len(order) if pixels is None else pixels
    if len(order) != pixels:
        raise DataError(f"this permutation has {len(order):,} places, but a picture has {pixels:,} pixels.")
    outside = order[(order < 0) | (order >= pixels)]
    if len(outside):
        raise DataError(
            f"a permutation of {pixels:,} pixels names places 0 to {pixels - 1:,}, but this one names {outside[0]}."
        )
    counts = torch.bincount(order.long(), minlength=pixels)
    if counts.max() > 1:
        twice, never = counts.argmax().item(), counts.argmin().item()
        raise DataError(
            f"this is no permutation: it names pixel {twice} {counts[twice]} times and pixel {never} never."
        )
    return order.long()


def permute(images, order):
    """Images (N, C, H, W) with their pixels in another order, in every channel: pixel i of the new is pixel order[i] of the old.

    The pixels are counted row by row. Raises DataError where the order is no permutation of them; the images stay as they are.
    """
    if images.dim() != 4:
        raise DataError(f"images (N, C, H, W) have pixels to permute, not a tensor {tuple(images.shape)}.")
    order = check_permutation(order, images.shape[2] * images.shape[3])
    return images.flatten(2)[:, :, order].view_as(images)


def permuted(splits, order):
    """The splits with all their images permuted alike, those for training and those for validation; see `permute`."""
    parts = {"train": splits.train, "val": splits.val, "test": splits.test}
    changed = {
        name: replace(part, inputs=permute(part.inputs, order)) for name, part in parts.items() if part is not None
    }
    return replace(splits, **changed)
