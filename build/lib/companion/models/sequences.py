"""Report C's small networks for sequences: recurrent, convolutional, with attention."""

import torch
from torch import nn


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
