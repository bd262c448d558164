"""Augmentation and shifts, against slow loops over pixels."""

import itertools

import pytest
import torch
from small_runs import make_mlp, random_images, run
from torch.nn.functional import cross_entropy

from companion.training.augmentation import crop_and_flip, shift_accuracy, shift_images
from companion.training.engine import evaluate

# -------------------------------------------------------------------------------------------------------- augmentation


def origin(image, result, padding):
    """(mirrored, top, left) of the window of the zero-padded image that `result` is; fails when there is none."""
    size = image.shape[-1]
    padded = torch.zeros(3, size + 2 * padding, size + 2 * padding, dtype=image.dtype)
    padded[:, padding : padding + size, padding : padding + size] = image
    for mirrored, top, left in itertools.product((False, True), *[range(2 * padding + 1)] * 2):
        window = padded[:, top : top + size, left : left + size]
        if torch.equal(result, window.flip(2) if mirrored else window):
            return mirrored, top, left
    pytest.fail("an augmented image is no window of its original")


def test_each_augmented_image_is_a_window_of_its_padded_original_and_the_first_ones_are_mirrored():
    images = random_images(40)
    augmented = crop_and_flip(images, torch.Generator().manual_seed(0), padding=3)
    assert (augmented.shape, augmented.dtype) == (images.shape, images.dtype)
    origins = [origin(image, result, 3) for image, result in zip(images, augmented, strict=True)]
    mirrored = [m for m, _, _ in origins]
    assert mirrored == sorted(mirrored, reverse=True)
    assert 0 < sum(mirrored) < 40
    assert {top for _, top, _ in origins} == {left for _, _, left in origins} == set(range(7))


def test_the_shifts_are_uniform_and_independent():
    images = random_images(900, size=4)
    augmented = crop_and_flip(images, torch.Generator().manual_seed(0), padding=1)
    shifts = [origin(image, result, 1)[1:] for image, result in zip(images, augmented, strict=True)]
    counts = [shifts.count(shift) for shift in itertools.product(range(3), repeat=2)]
    assert sum((count - 100) ** 2 / 100 for count in counts) < 26.1  # χ², 8 degrees of freedom, one in a thousand


def test_the_number_of_mirrored_images_is_binomial():
    left_half = torch.zeros(64, 1, 2, 2)
    left_half[..., 0] = 1  # mirrored, the ones lie on the right
    generator = torch.Generator().manual_seed(0)
    counts = torch.stack([crop_and_flip(left_half, generator, padding=0)[:, 0, 0, 1].sum() for _ in range(400)])
    assert counts.mean().item() == pytest.approx(32, abs=0.8)  # four standard errors: 4 · 4 / √400
    assert counts.var().item() == pytest.approx(16, rel=0.3)  # 64 tosses of a coin


def test_without_padding_images_are_mirrored_or_left_alone():
    images = random_images(20)
    augmented = crop_and_flip(images, torch.Generator().manual_seed(1), padding=0)
    same = [torch.equal(a, b) for a, b in zip(images, augmented, strict=True)]
    mirrored = [torch.equal(a.flip(2), b) for a, b in zip(images, augmented, strict=True)]
    assert all(a != b for a, b in zip(same, mirrored, strict=True))
    assert any(same)
    assert any(mirrored)


def test_augmentation_repeats_with_its_generator():
    images = random_images(20)
    first, second, other = (crop_and_flip(images, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("count", [0, 1])
def test_augmentation_takes_the_smallest_batches(count):
    assert crop_and_flip(random_images(count), torch.Generator()).shape == (count, 3, 8, 8)


# ------------------------------------------------------------------------------------------------------------- shifts


def test_shifted_images_equal_a_slow_loop_over_pixels():
    images = torch.arange(2 * 3 * 5 * 6, dtype=torch.uint8).reshape(2, 3, 5, 6)
    for right, down in ((0, 0), (2, 0), (-3, 0), (0, 1), (0, -4), (2, -1), (9, 0)):
        moved = shift_images(images, right, down)
        for row in range(5):
            for column in range(6):
                y, x = min(max(row - down, 0), 4), min(max(column - right, 0), 5)
                assert torch.equal(moved[:, :, row, column], images[:, :, y, x])


def test_shift_accuracy_is_the_mean_of_the_four_directions(splits):
    model = make_mlp()
    run(model, splits)
    unmoved, moved = shift_accuracy(model, splits.val, [0, 2])
    assert unmoved == evaluate(model, splits.val.images, splits.val.labels, cross_entropy)[1]
    everything, low, high = slice(None), [0, 0, *range(6)], [*range(2, 8), 7, 7]  # two pixels along a side of eight
    four = [
        evaluate(model, splits.val.images[..., rows, :][..., columns], splits.val.labels, cross_entropy)[1]
        for rows, columns in ((everything, low), (everything, high), (low, everything), (high, everything))
    ]
    assert moved == pytest.approx(sum(four) / 4)
