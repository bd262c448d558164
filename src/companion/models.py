"""The networks that more than one chapter uses: report A's one family of small image classifiers.

Each is written out in full on the page where it appears first; a test keeps page and module equal.
"""

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


def sequence_lengths(x):
    """Steps before the padding at the end, which is all zeros: (N, T) tokens or (N, T, F) frames → (N,)."""
    real = (x != 0) if x.dim() == 2 else (x != 0).any(2)
    steps = torch.arange(1, x.shape[1] + 1, device=x.device)
    return (real * steps).amax(1)


def last_step(states, lengths):
    """The state after each sequence's last real step: (N, T, H) → (N, H)."""
    return states[torch.arange(len(states), device=states.device), lengths - 1]


class AttentionPool(nn.Module):
    """A weighted mean of the states over the real steps, the weights learned: (N, T, H) → (N, H)."""

    def __init__(self, features):
        super().__init__()
        self.score = nn.Linear(features, 1)

    def weights(self, states, lengths):
        """One weight for each step, (N, T): positive, 0 on padding, 1 in sum."""
        steps = torch.arange(states.shape[1], device=states.device)
        scores = self.score(states).squeeze(2)
        return scores.masked_fill(steps >= lengths[:, None], -torch.inf).softmax(1)

    def forward(self, states, lengths):
        return (self.weights(states, lengths)[:, :, None] * states).sum(1)


class RecurrentNet(nn.Module):
    """A recurrent layer and an output layer: sequences (N, T) or (N, T, F) → (N, num_classes)."""

    def __init__(self, embed, features, num_classes, hidden=32, cell=nn.LSTM, pool=last_step, dropout=0.0):
        super().__init__()
        self.embed = embed
        self.cell = cell(features, hidden, batch_first=True)
        self.pool = pool
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden, num_classes))

    def forward(self, x):
        lengths = sequence_lengths(x)
        x = x[:, : lengths.max()]  # the batch's longest
        states, _ = self.cell(self.embed(x))
        return self.head(self.pool(states, lengths))


class ConvNet(nn.Module):
    """Convolutions along time, the maximum over the real steps, and an output layer: (N, T) or (N, T, F) → (N, num_classes)."""

    def __init__(self, embed, features, num_classes, channels=(320,), kernel_size=5, dilations=(1,), dropout=0.0):
        super().__init__()
        self.embed = embed
        self.convs = nn.ModuleList()
        for out_channels, dilation in zip(channels, dilations, strict=True):
            options = {"padding": "same", "dilation": dilation}
            self.convs.append(nn.Conv1d(features, out_channels, kernel_size, **options))
            features = out_channels
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(features, num_classes))

    def forward(self, x):
        lengths = sequence_lengths(x)
        x = x[:, : lengths.max()]
        steps = torch.arange(x.shape[1], device=x.device)
        real = (steps < lengths[:, None])[:, None]
        x = self.embed(x).transpose(1, 2)  # (N, F, T), as Conv1d wants it
        for conv in self.convs:
            x = conv(x).relu() * real
        return self.head(x.amax(2))
