"""Report A's small networks for pictures."""

import torch
from torch import nn


def conv_block(in_channels, out_channels):
    """3×3 convolution, 2×2 max pooling, ReLU: (N, in_channels, H, W) → (N, out_channels, H/2, W/2)."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1),
        nn.MaxPool2d(2),  # before ReLU: the result is the same, a quarter of the ReLUs remain
        nn.ReLU(),
    )


def small_cnn(channels=(32, 64), hidden=32, dropout=0.0, num_classes=10, image_size=32):
    """Convolution blocks, one hidden layer with dropout on it, and the output layer: (N, 3, H, H) → (N, num_classes)."""
    layers, in_channels = [], 3
    for out_channels in channels:
        layers.append(conv_block(in_channels, out_channels))
        in_channels, image_size = out_channels, image_size // 2
    return nn.Sequential(
        *layers,
        nn.Flatten(),
        nn.Linear(in_channels * image_size**2, hidden),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, num_classes),
    ).to(memory_format=torch.channels_last)  # how the weights lie in memory: pooling is faster this way


def small_gap_cnn(channels=(32, 64), num_classes=10):
    """Convolution blocks, one map per class, and the mean of each map: (N, 3, H, W) → (N, num_classes), any H and W ≥ 4."""
    layers, in_channels = [], 3
    for out_channels in channels:
        layers.append(conv_block(in_channels, out_channels))
        in_channels = out_channels
    return nn.Sequential(
        *layers,
        nn.Conv2d(in_channels, num_classes, kernel_size=3, padding=1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    ).to(memory_format=torch.channels_last)


def small_mlp(inputs=3072, hidden=100, num_classes=10):
    """One hidden layer on the flattened image: (N, 3, 32, 32) → (N, num_classes)."""
    return nn.Sequential(nn.Flatten(), nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, num_classes))
