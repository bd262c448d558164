"""Ages as classes: single years or groups, and the splits that keep the ages beside them."""

from dataclasses import dataclass

import numpy as np
import torch

from companion.data.files import DataError
from companion.data.splits import Split

OLDEST = 116  # years; the youngest is 1
GROUP_STARTS = (18, 36, 72)  # the first ages of the second, third and fourth group
AGES = tuple(str(age) for age in range(1, OLDEST + 1))
AGE_GROUPS = ("0–17", "18–35", "36–71", "72 and over")


@dataclass(frozen=True)
class AgedSplit(Split):
    """A split that also knows more of each picture, in the order of the images.

    `ages` (N,) in years; `traits`: {name: array of N words}, such as {"gender": ["male", "female", ...]}; `copies` (N,):
    pictures with the same number are near-duplicates of each other.
    """

    ages: torch.Tensor
    traits: dict
    copies: torch.Tensor


def age_labels(ages, labels="age"):
    """Class numbers (N,) of ages in years (N,): 0 to 115 for the years 1 to 116, or 0 to 3 for the four groups."""
    if labels == "age":
        return np.asarray(ages) - 1
    if labels == "group":
        return np.searchsorted(GROUP_STARTS, ages, side="right")
    raise DataError(f"labels is 'age' (116 single years) or 'group' (four groups of ages), not {labels!r}.")


def aged_split(images, ages, traits, copies, labels):
    return AgedSplit(
        inputs=torch.from_numpy(np.ascontiguousarray(images)),
        targets=torch.from_numpy(age_labels(ages, labels).astype(np.int64)),
        ages=torch.from_numpy(ages.astype(np.int64)),
        traits=traits,
        copies=torch.from_numpy(copies.astype(np.int64)),
    )


def age_classes(labels):
    return AGES if labels == "age" else AGE_GROUPS
