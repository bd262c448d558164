"""Drawn trunks whose age is the number of their rings: the embedded stand-in for faces."""

import numpy as np

from companion.data.ages import OLDEST, age_classes, age_labels, aged_split
from companion.data.splits import Splits, fingerprint

DECADE_SHARES = (  # faces of each decade of age, 1 to 9, 10 to 19, ... 110 to 116, among the 5,499 of the known subset
    *(702, 350, 1667, 1035, 511, 524),
    *(299, 172, 145, 63, 18, 13),
)
WOODS = ("pale", "dark")
_LIGHT = np.array([[222, 184, 135], [139, 100, 66]])  # RGB of the wood that grows in spring
_LATE = np.array([[120, 74, 36], [88, 58, 34]])  # and of the dark line that ends a year; less contrast in dark wood
_BARK = (52, 40, 30)
_STEPS = 8  # samples in each pixel's width along the radius


def load_tree_rings(labels="age", held_out=0, n_train=1000, n_val=400, size=56):
    """Drawn sections of tree trunks, a ring for each year: images (N, 3, size, size), in 116 single years or four groups.

    The stand-in for faces: each part is an `AgedSplit`. The ages are as uneven as theirs, decade by decade. The trunk's
    centre is near a corner, so that a quarter is seen. A ring is about 0.028·size wide at the centre and narrower with each
    year: at size 56 it is 1.6 pixels at first, 1.4 (what a diagonal row of pixels can just show) at 10 years and 0.2 at 72.
    Then the size of the trunk is what tells the age; trees grow at different speeds. `traits` has the wood, pale or dark.
    Another `held_out` draws others.
    """
    age_labels([], labels)
    rng = np.random.RandomState(held_out)
    shares = np.array(DECADE_SHARES) / sum(DECADE_SHARES)
    parts = []
    for count in (n_train, n_val):
        decades = rng.choice(len(shares), size=count, p=shares)
        ages = rng.randint(np.maximum(10 * decades, 1), np.minimum(10 * decades + 10, OLDEST + 1))
        woods = (rng.random_sample(count) < 0.25).astype(np.int64)
        images = np.empty((count, 3, size, size), np.int16)
        for image, age, wood in zip(images, ages, woods, strict=True):
            image[:] = _trunk(rng, age, wood, size)
        images += rng.randint(-12, 13, images.shape).astype(np.int16)  # the camera's noise
        images += rng.randint(-20, 21, (count, 1, 1, 1)).astype(np.int16)  # and the light
        images = images.clip(0, 255).astype(np.uint8)
        parts.append(aged_split(images, ages, {"wood": np.array(WOODS)[woods]}, np.arange(count), labels))
    train, val = parts
    return Splits(
        train=train,
        val=val,
        classes=age_classes(labels),
        name="tree rings",
        fingerprint=fingerprint(*(a.numpy() for s in parts for a in (s.images, s.ages))),
        source="drawn",
    )


def _trunk(rng, age, wood, size):
    """One section (3, size, size) with `age` rings. Only arithmetic and roots: the same bytes on every machine."""
    colours = np.rint(_colours(rng, age, wood, size)).astype(np.int16)
    y, x = (np.arange(size) + 0.5)[:, None], np.arange(size) + 0.5
    y, x = y - rng.uniform(0.02, 0.08) * size, x - rng.uniform(0.02, 0.08) * size
    oval, skew = rng.uniform(0.9, 1.1), rng.uniform(-0.1, 0.1)  # no trunk is an exact circle
    distance = np.sqrt(np.square(x) + oval * np.square(y) + skew * x * y)
    image = colours[(distance * _STEPS).astype(np.int64)].transpose(2, 0, 1)
    down, right = rng.randint(2, size=2)  # the corner where the centre is
    return image[:, :: 1 - 2 * down, :: 1 - 2 * right]


def _colours(rng, age, wood, size):
    """RGB (2·size·8, 3) at each eighth of a pixel from the centre of a trunk outwards: years, bark and what lies around."""
    years = np.arange(age)
    widths = 0.028 * size / (1 + (years / 30) ** 2) * rng.uniform(0.8, 1.2) * rng.uniform(0.75, 1.25, age)
    ends = np.concatenate([[0], np.cumsum(widths)])
    distance = (np.arange(2 * size * _STEPS) + 0.5) / _STEPS
    year = np.minimum(np.searchsorted(ends, distance, side="right") - 1, age - 1)
    lateness = np.square(np.minimum((distance - ends[year]) / widths[year], 1))  # 0 in spring, 1 at the end of the year
    colours = _LIGHT[wood] + lateness[:, None] * (_LATE[wood] - _LIGHT[wood])
    colours[distance > ends[-1]] = _BARK
    colours[distance > ends[-1] + 0.02 * size] = rng.randint(30, 226) + rng.randint(-15, 16, 3)
    sums = np.cumsum(colours, axis=0)
    return np.concatenate([colours[:_STEPS], (sums[_STEPS:] - sums[:-_STEPS]) / _STEPS])  # the mean over a pixel
