"""Report E's two networks for handwritten digits: fully connected and convolutional."""

import torch
from torch import nn


def dense_net(dropout=0.0, widths=(784, 100)):
    """Hidden layers with ReLU, batch normalisation and dropout, then ten logits: (N, 1, 28, 28) → (N, 10)."""
    layers, before = [nn.Flatten()], 784
    for width in widths:
        layers += [nn.Linear(before, width), nn.ReLU(), nn.BatchNorm1d(width)]
        layers.append(nn.Dropout(dropout))
        before = width
    return nn.Sequential(*layers, nn.Linear(before, 10))


def same_conv(inputs, outputs, kernel):
    """A convolution whose maps are as large as its input; an even kernel gets the extra zeros right and below, as in Keras."""
    before, after = (kernel - 1) // 2, kernel // 2
    padding = nn.ZeroPad2d((before, after, before, after))
    return nn.Sequential(padding, nn.Conv2d(inputs, outputs, kernel))


def conv_net(first=24, second=12, dropout=0.0, maps=10):
    """Convolution, pooling, convolution, ten logits; kernels of `first` and `second` pixels: (N, 1, 28, 28) → (N, 10)."""
    return nn.Sequential(
        same_conv(1, maps, first),
        nn.ReLU(),
        nn.MaxPool2d(2),
        same_conv(maps, maps, second),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(maps * 14 * 14, 10),
    ).to(memory_format=torch.channels_last)  # how the weights lie in memory: faster
