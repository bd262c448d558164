"""Noise on pictures: how much it is, what clipping makes of it, and what is refused."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import norm

from companion import DataError, add_noise


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_on_grey_pictures_the_noise_has_the_deviation_asked_for_and_no_bias():
    grey = torch.full((200, 1, 28, 28), 0.5)
    noise = add_noise(grey, 0.05, seeded()) - grey
    assert noise.std().item() == pytest.approx(0.05, rel=0.01) and abs(noise.mean()) < 5e-4


def test_on_black_pictures_clipping_leaves_the_mean_that_calculus_gives():
    black, sd = torch.zeros(400, 1, 28, 28), 0.5
    grid = np.linspace(0, 1, 100_001)
    expected = np.trapezoid(grid * norm.pdf(grid, 0, sd), grid) + norm.sf(1, 0, sd)  # what lies above 1 counts as 1
    found = add_noise(black, sd, seeded())
    assert found.mean().item() == pytest.approx(expected, abs=0.002)
    assert (found == 0).float().mean().item() == pytest.approx(0.5, abs=0.005)
    assert found.min() == 0 and found.max() == 1


def test_one_seed_gives_one_noise_and_the_pictures_handed_over_stay_as_they_are():
    images = torch.rand(3, 1, 8, 8)
    kept = images.clone()
    first, again, other = (add_noise(images, 0.3, seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other) and torch.equal(images, kept)


def test_no_noise_changes_nothing():
    images = torch.rand(3, 1, 8, 8)
    assert torch.equal(add_noise(images, 0, seeded()), images)


@pytest.mark.parametrize("sd", [-0.1, math.nan, math.inf, "much", None, True])
def test_a_deviation_that_is_none_is_refused_in_a_sentence(sd):
    with pytest.raises(DataError, match=r"is a finite number from 0 on \(0 for none\), not "):
        add_noise(torch.rand(1, 1, 4, 4), sd, seeded())


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (torch.zeros(1, 1, 4, 4, dtype=torch.uint8), "not uint8: divide bytes by 255"),
        (torch.full((1, 1, 4, 4), 255.0), "these run from 255 to 255: bytes are to be divided by 255"),
        (torch.linspace(-1, 1, 16).view(1, 1, 4, 4), r"run from -1 to 1: .* becomes \(x \+ 1\) / 2"),
        (torch.full((1, 1, 4, 4), math.nan), "run from nan to nan"),
        (torch.zeros(0, 1, 4, 4), "there are no pictures"),
        ([[0.0, 1.0]], "not list"),
    ],
)
def test_pictures_outside_the_range_are_refused_with_what_to_do(images, words):
    with pytest.raises(DataError, match=words):
        add_noise(images, 0.5, seeded())
