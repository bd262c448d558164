"""How alike two pictures are: PSNR and SSIM, for `fit(..., metrics={"psnr": psnr})` and for any other restored pictures."""

from torch.nn import functional as F


def psnr(outputs, targets):
    """The peak signal-to-noise ratio of each picture in [0, 1], in decibels: 10·log10(1 / mean squared error), (N, ...) → (N,).

    Equal pictures have infinitely much. A mean over pictures is a mean of decibels, not the decibels of the mean error. Raises
    ValueError unless both have one shape and lie in [0, 1].
    """
    _check_pair(outputs, targets)
    return -10 * (outputs - targets).square().flatten(1).mean(1).log10()


def ssim(outputs, targets, window=7):
    """The structural similarity of each picture in [0, 1], at most 1: (N, C, H, W) twice → (N,).

    Means, variances and covariance are taken in each window×window square that lies inside the picture, all pixels alike, and the
    ratios are averaged over squares and channels (Wang et al. 2004; as scikit-image's `structural_similarity` does it without
    options). Raises ValueError unless both lie in [0, 1] and have one shape (N, C, H, W) with sides of at least `window`, an odd
    number.
    """
    _check_pair(outputs, targets)
    if outputs.dim() != 4 or window % 2 == 0 or min(outputs.shape[2:]) < window or window < 3:
        raise ValueError(
            f"SSIM compares pictures (N, C, H, W) in windows of an odd side, at least 3 and no larger than the picture: "
            f"{window} does not go with {tuple(outputs.shape)}"
        )
    x, y = outputs.double(), targets.double()
    n = window**2
    mean_x, mean_y = F.avg_pool2d(x, window, 1), F.avg_pool2d(y, window, 1)
    sample = n / (n - 1)
    var_x = sample * (F.avg_pool2d(x * x, window, 1) - mean_x**2)
    var_y = sample * (F.avg_pool2d(y * y, window, 1) - mean_y**2)
    covariance = sample * (F.avg_pool2d(x * y, window, 1) - mean_x * mean_y)
    first, second = 0.01**2, 0.03**2  # keep quotients of empty squares finite
    likeness = (2 * mean_x * mean_y + first) * (2 * covariance + second)
    likeness /= (mean_x**2 + mean_y**2 + first) * (var_x + var_y + second)
    return likeness.flatten(1).mean(1).to(outputs.dtype)


def _check_pair(outputs, targets):
    if outputs.shape != targets.shape or outputs.dim() < 2:
        raise ValueError(
            f"pictures are compared one by one, so both have one shape (N, ...), not {tuple(outputs.shape)} and "
            f"{tuple(targets.shape)}"
        )
    for what, pictures in (("first", outputs), ("second", targets)):
        low, high = (pictures.min().item(), pictures.max().item()) if pictures.numel() else (0, 0)
        if not pictures.is_floating_point() or not (low >= 0 and high <= 1):  # also where one is no number
            kind = str(pictures.dtype).removeprefix("torch.")
            raise ValueError(
                f"pictures are compared as floats from 0 (black) to 1 (white), but the {what} ones run from {low:g} to {high:g} "
                f"({kind}): divide bytes by 255, and clip or squash what a network gives"
            )
