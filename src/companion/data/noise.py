"""Pictures with normal noise, clipped to the range that pictures have."""

import math
from numbers import Real

import torch

from companion.data.files import DataError


def add_noise(images, sd, generator):
    """Pictures in [0, 1] with normal noise of mean 0 and standard deviation `sd` added, clipped to [0, 1]: (...) → (...).

    The noise is drawn for each number apart, from `generator`, on the CPU; `sd` is in units of the full range, black to white.
    Clipping makes the noise of dark and of light pixels one-sided: its mean is not 0 there. Raises DataError where `sd` is below
    0 or no finite number, and on images that are no floats in [0, 1]. The images stay as they are.
    """
    if not isinstance(sd, Real) or isinstance(sd, bool) or not math.isfinite(sd) or sd < 0:
        raise DataError(f"the standard deviation of the noise is a finite number from 0 on (0 for none), not {sd!r}.")
    check_unit_range(images)
    noise = torch.randn(images.shape, generator=generator, dtype=images.dtype).to(images.device)
    return noise.mul_(sd).add_(images).clamp_(0, 1)


def check_unit_range(images):
    """Raise DataError unless the images are floats, and all of them lie in [0, 1]."""
    if not torch.is_tensor(images) or not images.is_floating_point():
        kind = str(images.dtype).removeprefix("torch.") if torch.is_tensor(images) else type(images).__name__
        raise DataError(f"pictures are floats from 0 (black) to 1 (white) here, not {kind}: divide bytes by 255.")
    if not images.numel():
        raise DataError("there are no pictures: the tensor is empty.")
    low, high = images.min().item(), images.max().item()
    if not (low >= 0 and high <= 1):  # also where one is no number
        raise DataError(
            f"pictures are floats from 0 (black) to 1 (white) here, but these run from {low:g} to {high:g}: bytes are to be "
            "divided by 255, and what lies in [-1, 1] becomes (x + 1) / 2."
        )
