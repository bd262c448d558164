"""PSNR and SSIM against those of scikit-image, and by hand."""

import math

import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from companion import psnr, ssim


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(0)
    clean = torch.rand(6, 1, 28, 28, generator=generator)
    return (clean + 0.2 * torch.randn(clean.shape, generator=generator)).clamp(0, 1), clean


def test_both_are_those_of_scikit_image_picture_by_picture(pair):
    noisy, clean = pair
    ratios, likeness = psnr(noisy, clean), ssim(noisy, clean)
    for x, y, ratio, alike in zip(noisy[:, 0].numpy(), clean[:, 0].numpy(), ratios, likeness, strict=True):
        assert ratio.item() == pytest.approx(peak_signal_noise_ratio(y, x, data_range=1), abs=1e-4)
        assert alike.item() == pytest.approx(structural_similarity(y, x, data_range=1), abs=1e-5)


def test_ssim_of_colour_pictures_is_the_mean_over_the_channels():
    torch.manual_seed(0)
    x, y = torch.rand(2, 3, 16, 12), torch.rand(2, 3, 16, 12)
    channels = torch.stack([ssim(x[:, [c]], y[:, [c]]) for c in range(3)]).mean(0)
    assert torch.allclose(ssim(x, y), channels)


def test_an_error_of_a_tenth_everywhere_is_twenty_decibels_and_half_of_it_six_more():
    black = torch.zeros(1, 1, 8, 8)
    assert psnr(black + 0.1, black).item() == pytest.approx(20)
    assert psnr(black + 0.05, black).item() == pytest.approx(20 + 20 * math.log10(2), abs=1e-4)


def test_equal_pictures_have_ssim_one_and_infinite_psnr():
    x = torch.rand(2, 1, 9, 9)
    assert torch.allclose(ssim(x, x), torch.ones(2)) and psnr(x, x).isinf().all()


@pytest.mark.parametrize("measure", [psnr, ssim])
def test_pictures_of_other_shapes_or_outside_the_range_are_refused(measure):
    x = torch.rand(2, 1, 9, 9)
    with pytest.raises(ValueError, match=r"both have one shape \(N, \.\.\.\), not \(2, 1, 9, 9\) and \(2, 81\)"):
        measure(x, x.flatten(1))
    with pytest.raises(ValueError, match="the first ones run from -"):
        measure(x * 2 - 1, x)
    with pytest.raises(ValueError, match=r"the second ones run from .* divide bytes by 255"):
        measure(x, (255 * x).byte())


@pytest.mark.parametrize(("shape", "window"), [((2, 1, 6, 9), 7), ((2, 1, 9, 9), 4), ((2, 81), 7), ((2, 1, 9, 9), 1)])
def test_a_window_that_does_not_fit_is_refused(shape, window):
    x = torch.rand(shape)
    with pytest.raises(ValueError, match="SSIM compares pictures"):
        ssim(x, x, window)
