"""Pictures moved, cropped and mirrored: augmentation, and accuracy on shifted images."""

import torch
from torch.nn import functional as F

from companion.training.engine import evaluate


def crop_and_flip(images, generator, padding=4):
    """Augment a batch (N, C, H, W): random shifts of up to `padding` pixels, and half of the images mirrored.

    Random numbers come from `generator`, on the CPU. The first k images are mirrored, k ~ Binomial(N, 1/2): in a shuffled
    batch that is the same as a coin toss for each image, and faster.
    """
    n, _, height, width = images.shape
    flips = int(torch.randint(2, (n,), generator=generator).sum())
    top, left = torch.randint(2 * padding + 1, (2, n), generator=generator).to(images.device, non_blocking=True)
    padded = F.pad(images, (padding,) * 4)
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)  # a view: (N, C, offsets, offsets, H, W)
    cropped = windows[torch.arange(n, device=images.device), :, top, left]
    return torch.cat([cropped[:flips].flip(3), cropped[flips:]])


def shift_images(images, right=0, down=0):
    """Move the images (..., H, W) by whole pixels; negative numbers go left and up. The edge pixels fill what comes free."""
    height, width = images.shape[-2:]
    rows = (torch.arange(height) - down).clamp(0, height - 1)
    columns = (torch.arange(width) - right).clamp(0, width - 1)
    return images[..., rows, :][..., columns]


def shift_accuracy(model, split, shifts):
    """Accuracy on the split's images moved by each number of pixels: the mean of left, right, up and down."""
    accuracies = []
    for pixels in shifts:
        moves = [(0, 0)]
        if pixels:
            moves = [(pixels, 0), (-pixels, 0), (0, pixels), (0, -pixels)]
        scores = []
        for move in moves:
            images = shift_images(split.images, *move)
            scores.append(evaluate(model, images, split.labels, F.cross_entropy)[1])
        accuracies.append(sum(scores) / len(scores))
    return accuracies
