"""Report E's network on word counts, without a matrix of counts."""

import torch
from torch import nn

from companion.data.tokens import check_tokens


class BagOfWords(nn.Module):
    """Counts of the words → 100 → 10 → 1, the counts joined to the last 10 units: tokens (N, T) → logits (N, 1).

    `size` is that of the vocabulary, with the padding, 0, which is not counted. `norm(units)` makes the layer after each
    hidden ReLU; dropout follows it. The weights begin as in Keras: uniform by Glorot, the biases at zero. Raises ValueError,
    in `forward`, on a token outside the vocabulary and on an empty review.
    """

    def __init__(self, size, hidden=(100, 10), norm=nn.Identity, dropout=0.0):
        super().__init__()
        first, second = hidden
        self.size = size
        self.table = nn.EmbeddingBag(size, first + 1, mode="sum")  # the last column leads to the output
        self.bias = nn.Parameter(torch.zeros(first))
        self.after_first = nn.Sequential(norm(first), nn.Dropout(dropout))
        self.second = nn.Linear(first, second)
        self.after_second = nn.Sequential(norm(second), nn.Dropout(dropout))
        self.out = nn.Linear(second, 1)
        start_as_keras(self)

    def forward(self, tokens):
        check_tokens(tokens, self.size)
        words = tokens != 0
        lengths = words.sum(1)
        sums = self.table(tokens[words], lengths.cumsum(0) - lengths)
        hidden = self.after_first((sums[:, :-1] + self.bias).relu())
        hidden = self.after_second(self.second(hidden).relu())
        return self.out(hidden) + sums[:, -1:]


def start_as_keras(model):
    """Weights of a `BagOfWords` uniform by Glorot's rule, and biases zero, as Keras begins."""
    first, second = model.second.in_features, model.second.out_features
    weights = model.table.weight
    for part, both in (
        (weights[:, :-1], model.size + first),
        (weights[:, -1:], model.size + second + 1),
        (model.second.weight, first + second),
        (model.out.weight, model.size + second + 1),
    ):
        nn.init.uniform_(part, -((6 / both) ** 0.5), (6 / both) ** 0.5)
    for layer in (model.second, model.out):
        nn.init.zeros_(layer.bias)


def keras_norm(units):
    """Batch normalisation with Keras' two constants: a slower running mean than PyTorch's, and a larger number under the root."""
    return nn.BatchNorm1d(units, eps=1e-3, momentum=0.01)
