"""The network on word counts, against dense layers on a matrix of counts."""

import pytest
import torch
from torch import nn

from companion import BagOfWords, count_parameters, keras_norm, load_dataset, shuffle_words


class OnCounts(nn.Module):
    """The same network as the report draws it: dense layers on the counts, which are joined to the last hidden layer."""

    def __init__(self, bag):
        super().__init__()
        first = bag.table.weight.shape[1] - 1
        self.first, self.second, self.out = (
            nn.Linear(bag.size, first),
            nn.Linear(first, bag.second.out_features),
            nn.Linear(bag.second.out_features + bag.size, 1),
        )
        with torch.no_grad():
            self.first.weight.copy_(bag.table.weight[:, :-1].T)
            self.first.bias.copy_(bag.bias)
            self.second.load_state_dict(bag.second.state_dict())
            self.out.weight.copy_(torch.cat([bag.out.weight, bag.table.weight[:, -1:].T], 1))
            self.out.bias.copy_(bag.out.bias)

    def forward(self, counts):
        hidden = self.second(self.first(counts).relu()).relu()
        return self.out(torch.cat([hidden, counts], 1))


def counts_of(tokens, size):
    counts = torch.zeros(len(tokens), size, dtype=torch.float64)
    counts.scatter_add_(1, tokens, torch.ones_like(tokens, dtype=torch.float64))
    counts[:, 0] = 0
    return counts


def test_it_is_the_dense_network_on_a_matrix_of_counts_gradients_and_all():
    torch.manual_seed(0)
    bag = BagOfWords(30, hidden=(8, 4)).double()
    with torch.no_grad():
        for parameter in bag.parameters():
            parameter.add_(torch.randn_like(parameter))
    dense = OnCounts(bag).double()
    tokens = torch.randint(0, 30, (16, 12))
    outputs = bag(tokens), dense(counts_of(tokens, 30))
    assert torch.allclose(*outputs)
    for output in outputs:
        output.square().sum().backward()
    assert torch.allclose(bag.table.weight.grad[:, :-1], dense.first.weight.grad.T)
    assert torch.allclose(bag.table.weight.grad[:, -1], dense.out.weight.grad[0, 4:])
    assert torch.allclose(bag.bias.grad, dense.first.bias.grad)
    assert torch.allclose(bag.out.weight.grad, dense.out.weight.grad[:, :4])


def test_its_parameters_are_those_that_the_report_prints():
    plain, normal = BagOfWords(10_000, dropout=0.5), BagOfWords(10_000, norm=keras_norm)
    assert count_parameters(plain).trainable == 1_000_100 + 1_010 + 10_011 == 1_011_121
    running = sum(b.numel() for name, b in normal.named_buffers() if "running" in name)
    assert count_parameters(normal).trainable == 1_011_341 and running == 220


def test_neither_the_order_of_the_words_nor_more_padding_changes_the_answer():
    tokens = load_dataset("invented_reviews", n_train=2, n_val=40).val.inputs
    model = BagOfWords(2_000).eval()
    wider = torch.cat([torch.zeros_like(tokens), shuffle_words(tokens, seed=0)], 1)
    assert torch.allclose(model(tokens), model(wider), atol=1e-6)


def test_weights_begin_as_those_of_keras_do():
    torch.manual_seed(0)
    model = BagOfWords(10_000)
    for weights, both in (
        (model.table.weight[:, :-1], 10_100),
        (model.table.weight[:, -1], 10_011),
        (model.second.weight, 110),
        (model.out.weight, 10_011),
    ):
        limit = (6 / both) ** 0.5
        assert 0.8 * limit < weights.abs().max() <= limit
    assert not any(bias.any() for bias in (model.bias, model.second.bias, model.out.bias))


def test_dropout_and_normalisation_follow_both_hidden_layers():
    model = BagOfWords(50, hidden=(6, 3), norm=keras_norm, dropout=0.3)
    assert [m.p for m in model.modules() if isinstance(m, nn.Dropout)] == [0.3, 0.3]
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm1d)]
    assert [(m.num_features, m.eps, m.momentum) for m in norms] == [(6, 1e-3, 0.01), (3, 1e-3, 0.01)]


@pytest.mark.parametrize(
    ("tokens", "message"),
    [([[1, 2], [3, 50]], "holds the token 50 at place 1"), ([[1, 2], [0, 0]], "text 1 .* is empty")],
    ids=["outside the vocabulary", "empty"],
)
def test_what_it_cannot_read_is_refused_in_a_sentence(tokens, message):
    with pytest.raises(ValueError, match=message):
        BagOfWords(50)(torch.tensor(tokens))
