"""scikit-learn's handwritten digits, as pictures, over photographs and as sequences of rows: embedded stand-ins."""

from functools import cache

import numpy as np
import torch

from companion.data.padding import sequence_split
from companion.data.splits import Splits, as_split, check_fold, check_split, fingerprint


@cache
def sklearn_digits(size):
    """scikit-learn's 1,797 digits, enlarged to size×size bytes, split 4 to 1 by a fixed permutation."""
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    small = (digits.images * 15.9375).astype(np.uint8)  # 0..16 becomes 0..255
    large = [np.asarray(Image.fromarray(d).resize((size, size), Image.Resampling.BILINEAR)) for d in small]
    order = np.random.RandomState(0).permutation(len(small))  # RandomState's stream is frozen by NumPy
    large, labels, cut = np.stack(large)[order], digits.target[order], 1437
    return (large[:cut], labels[:cut]), (large[cut:], labels[cut:])


def load_digits(size=28):
    """scikit-learn's handwritten digits, enlarged from 8×8 to size×size: 1,437 for training, 360 for validation."""
    (train, train_labels), (val, val_labels) = sklearn_digits(size)
    return Splits(
        train=as_split(train[:, None], train_labels),
        val=as_split(val[:, None], val_labels),
        classes=tuple("0123456789"),
        name="digits",
        fingerprint=fingerprint(train, train_labels, val, val_labels),
        source="made from scikit-learn's load_digits",
    )


def load_photo_digits(split=0, n_train=4000, n_val=1000):
    """Handwritten digits drawn over crops of photographs, 32×32 RGB, ten classes: the book's stand-in for CIFAR-10.

    Each image is |photograph − digit|, as MNIST-M does it. Behind all of them are at most 1,437 (train) and 360 (val) distinct
    digits and two photographs, of which training sees the left three quarters and validation the right quarter. `split`, a
    whole number from 0 on, is the seed of the drawing: which digits are picked, and where they and the crops lie.
    """
    from sklearn.datasets import load_sample_images

    check_split(split)
    photos = load_sample_images().images
    rng = np.random.RandomState(split)
    parts = []
    for (digits, labels), count, (left, right) in zip(
        sklearn_digits(28), (n_train, n_val), ((0.0, 0.75), (0.75, 1.0)), strict=True
    ):
        pick = rng.randint(len(digits), size=count)
        images = np.zeros((count, 32, 32, 3), np.int16)
        for image, digit, at in zip(images, digits[pick], rng.randint(5, size=(count, 2)), strict=True):
            photo = photos[rng.randint(len(photos))]
            height, width = photo.shape[:2]
            y = rng.randint(height - 31)
            x = rng.randint(int(width * left), int(width * right) - 31)
            image[at[0] : at[0] + 28, at[1] : at[1] + 28] = digit[:, :, None]
            np.subtract(photo[y : y + 32, x : x + 32], image, out=image)
        parts.append((np.abs(images).astype(np.uint8).transpose(0, 3, 1, 2), labels[pick]))
    (train, train_labels), (val, val_labels) = parts
    return Splits(
        train=as_split(train, train_labels),
        val=as_split(val, val_labels),
        classes=tuple("0123456789"),
        name="photo digits",
        fingerprint=fingerprint(train, train_labels, val, val_labels),
        source="made from scikit-learn's load_digits and load_sample_images",
    )


def load_digit_rows(held_out=0):
    """scikit-learn's 8×8 handwritten digits read as sequences: 8 steps (rows) of 8 numbers in [-1, 1]; about 1,437 and 360 digits.

    `held_out` is the number of the fifth that is for validation, 0 to 4.
    """
    check_fold(held_out, 5, "fifth of the digits")
    inputs, labels = (np.concatenate(both) for both in zip(*reversed(sklearn_digits(8)), strict=True))
    inputs = ((inputs - 127.5) / 127.5).astype(np.float32)  # never 0, so no row looks like padding
    val = np.zeros(len(labels), bool)
    val[360 * held_out : 360 * (held_out + 1)] = True
    return Splits(
        train=sequence_split(torch.from_numpy(inputs[~val]), labels[~val]),
        val=sequence_split(torch.from_numpy(inputs[val]), labels[val]),
        classes=tuple("0123456789"),
        name="digit rows",
        fingerprint=fingerprint(inputs, labels),
        source="made from scikit-learn's load_digits",
    )
