"""The networks for sequences, against PyTorch's packed sequences, counts done by formula, and gradients."""

import pytest
import torch
from torch import nn
from torch.nn.functional import pad as pad_end
from torch.nn.utils.rnn import pack_padded_sequence

from companion.counting import (
    conv_parameters,
    count_parameters,
    embedding_parameters,
    gru_parameters,
    linear_parameters,
    lstm_parameters,
)
from companion.models.sequences import AttentionPool, ConvNet, RecurrentNet, last_step, sequence_lengths

LENGTHS = torch.tensor([5, 12, 1, 9, 12, 3])


def tokens(lengths=LENGTHS, steps=None, words=20):
    x = torch.randint(1, words, (len(lengths), steps or int(lengths.max())))
    return x * (torch.arange(x.shape[1]) < lengths[:, None])


def frames(lengths=LENGTHS, steps=None, features=4):
    x = torch.randn(len(lengths), steps or int(lengths.max()), features)
    return x * (torch.arange(x.shape[1]) < lengths[:, None])[:, :, None]


def more_padding(x, steps):
    return pad_end(x, (0, steps) if x.dim() == 2 else (0, 0, 0, steps))


INPUTS = {"tokens": tokens, "frames": frames}
NETWORKS = {
    "lstm": lambda *a: RecurrentNet(*a, hidden=7),
    "gru": lambda *a: RecurrentNet(*a, hidden=7, cell=nn.GRU),
    "lstm with attention": lambda *a: RecurrentNet(*a, hidden=7, pool=AttentionPool(7)),
    "one convolution": lambda *a: ConvNet(*a, channels=(9,)),
    "three convolutions": lambda *a: ConvNet(*a, channels=(9, 8, 7), dilations=(1, 1, 1)),
    "three dilated convolutions": lambda *a: ConvNet(*a, channels=(9, 8, 7), dilations=(1, 2, 4)),
}


def make(network, kind):
    torch.manual_seed(0)
    embed = nn.Embedding(20, 4, padding_idx=0) if kind == "tokens" else nn.Identity()
    return NETWORKS[network](embed, 4, 3), INPUTS[kind]()


every_kind = pytest.mark.parametrize("kind", INPUTS)
every_network = pytest.mark.parametrize("network", NETWORKS)


# ------------------------------------------------------------------------------------------------------ lengths, ends


@every_kind
def test_the_lengths_are_found_whatever_the_padding(kind):
    for extra in (0, 1, 10):
        assert torch.equal(sequence_lengths(more_padding(INPUTS[kind](), extra)), LENGTHS)


def test_a_zero_between_others_is_no_end():
    assert sequence_lengths(torch.tensor([[3, 0, 2, 0], [0, 0, 0, 1]])).tolist() == [3, 4]
    x = torch.zeros(1, 5, 3)
    x[0, 0, 1], x[0, 3, 2] = 0.1, -0.1  # one number is enough
    assert sequence_lengths(x).tolist() == [4]


def test_the_last_step_is_the_one_before_the_padding():
    states = torch.arange(24.0).reshape(3, 4, 2)
    assert last_step(states, torch.tensor([1, 4, 2])).tolist() == [[0, 1], [14, 15], [18, 19]]


@every_kind
@pytest.mark.parametrize("cell", [nn.LSTM, nn.GRU])
def test_the_recurrent_net_ends_where_pytorchs_packed_sequence_ends(cell, kind):
    network = {nn.LSTM: "lstm", nn.GRU: "gru"}[cell]
    model, x = make(network, kind)
    packed = pack_padded_sequence(model.embed(x), LENGTHS, batch_first=True, enforce_sorted=False)
    _, end = model.cell(packed)
    hidden = end[0] if cell is nn.LSTM else end
    assert torch.allclose(model(x), model.head(hidden[0]), atol=1e-6, rtol=0)


# ------------------------------------------------------------------------------------------------------------ padding


def gradients(model, x):
    """The parameters' gradients of a loss, and that of the embedded inputs of the real steps."""
    embedded = []
    hook = model.embed.register_forward_hook(lambda *call: embedded.append(call[-1]))
    model.zero_grad()
    x = x if x.dim() == 2 else x.clone().requires_grad_()
    loss = model(x).square().sum()
    hook.remove()
    of_inputs, *of_parameters = torch.autograd.grad(loss, [*embedded, *model.parameters()])
    return [of_inputs[:, : LENGTHS.max()], *of_parameters]


@every_kind
@every_network
def test_more_padding_changes_no_output_and_no_gradient(network, kind):
    model, x = make(network, kind)
    longer = more_padding(x, 17)
    assert torch.allclose(model(longer), model(x), atol=1e-6)
    for ours, theirs in zip(gradients(model, longer), gradients(model, x), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-6)


@every_kind
@every_network
def test_a_sequence_has_the_same_output_alone_as_among_longer_ones(network, kind):
    model, x = make(network, kind)
    together = model(x)
    for i, length in enumerate(LENGTHS):
        assert torch.allclose(model(x[i : i + 1]), together[i : i + 1], atol=1e-6)
        assert torch.allclose(model(x[i : i + 1, :length]), together[i : i + 1], atol=1e-6)


@every_network
def test_the_vector_of_the_padding_stays_zero_in_training(network):
    model, x = make(network, "tokens")
    optimizer = torch.optim.Adam(model.parameters())
    before = model.embed.weight.detach().clone()
    model(x).square().sum().backward()
    optimizer.step()
    assert (model.embed.weight[0] == 0).all()
    assert (model.embed.weight != before).any(1).sum() == len(x.unique()) - 1  # every other token that occurs


@every_kind
@pytest.mark.parametrize("network", [name for name in NETWORKS if "conv" not in name])
def test_a_recurrent_net_has_no_gradient_at_the_padding(network, kind):
    model, x = make(network, kind)
    of_inputs, *_ = gradients(model, x)
    real = torch.arange(x.shape[1]) < LENGTHS[:, None]
    assert torch.equal((of_inputs != 0).any(2), real)


@every_network
def test_each_sequence_of_a_batch_is_answered_for_itself(network):
    model, x = make(network, "frames")
    changed = x.clone()
    changed[1, :6] += 1
    same = [0, 2, 3, 4, 5]
    assert torch.allclose(model(changed)[same], model(x)[same], atol=1e-6)
    assert not torch.allclose(model(changed)[1], model(x)[1], atol=1e-3)


# ---------------------------------------------------------------------------------------------------------- attention


def test_attention_weights_are_positive_sum_to_one_and_leave_padding_out():
    torch.manual_seed(0)
    pool, states = AttentionPool(4), torch.randn(6, 15, 4)
    weights = pool.weights(states, LENGTHS)
    real = torch.arange(15) < LENGTHS[:, None]
    assert weights.shape == (6, 15)
    assert (weights[real] > 0).all()
    assert (weights[~real] == 0).all()
    assert torch.allclose(weights.sum(1), torch.ones(6))


def test_attention_is_the_weighted_mean_of_the_real_states():
    torch.manual_seed(0)
    pool, states = AttentionPool(4), torch.randn(6, 15, 4)
    for i, length in enumerate(LENGTHS):
        scores = [pool.score(s).item() for s in states[i, :length]]
        shares = torch.tensor(scores, dtype=torch.float64).exp()
        expected = sum(w * s for w, s in zip(shares / shares.sum(), states[i, :length].double(), strict=True))
        assert torch.allclose(pool(states, LENGTHS)[i].double(), expected, atol=1e-6)


def test_attention_without_a_preference_is_the_plain_mean():
    pool, states = AttentionPool(4), torch.randn(6, 15, 4)
    nn.init.zeros_(pool.score.weight)
    means = torch.stack([s[:n].mean(0) for s, n in zip(states, LENGTHS, strict=True)])
    assert torch.allclose(pool(states, LENGTHS), means, atol=1e-6)


# ------------------------------------------------------------------------------------------------- the field of vision


@pytest.mark.parametrize("dilations", [(1,), (1, 1, 1), (1, 2, 4), (3,)])
def test_the_receptive_field_measured_by_gradients_is_one_plus_four_times_the_dilations(dilations):
    torch.manual_seed(0)
    model = ConvNet(nn.Identity(), 4, 3, channels=(6,) * len(dilations), dilations=dilations)
    x = torch.randn(1, 81, 4, requires_grad=True)
    y = x.transpose(1, 2)
    for conv in model.convs:
        nn.init.uniform_(conv.weight, 0.1, 1)  # positive, so that nothing cancels
        y = conv(y)
    y[0, :, 40].sum().backward()
    seen = x.grad[0].abs().sum(1).nonzero()[:, 0]
    reach = 2 * sum(dilations)
    assert (seen.min(), seen.max()) == (40 - reach, 40 + reach)
    assert seen.max() - seen.min() + 1 == 1 + 4 * sum(dilations)


def test_the_conv_net_is_its_convolutions_written_out_and_their_largest_real_values():
    torch.manual_seed(0)
    model, x = ConvNet(nn.Identity(), 4, 3, channels=(5, 6), dilations=(1, 3)), frames()
    for i, length in enumerate(LENGTHS):
        rows = x[i, :length]
        for conv, dilation in zip(model.convs, (1, 3), strict=True):
            around = pad_end(rows, (0, 0, 2 * dilation, 2 * dilation))
            taps = [around[k * dilation : k * dilation + length] @ conv.weight[:, :, k].T for k in range(5)]
            rows = (sum(taps) + conv.bias).clamp(min=0)
        assert torch.allclose(model.head(rows.amax(0)), model(x)[i], atol=1e-5)


def test_the_conv_net_wants_one_dilation_for_each_convolution():
    with pytest.raises(ValueError, match="zip"):
        ConvNet(nn.Identity(), 4, 3, channels=(5, 6), dilations=(1,))


# -------------------------------------------------------------------------------------------------- sizes and settings


@pytest.mark.parametrize(("cell", "formula"), [(nn.LSTM, lstm_parameters), (nn.GRU, gru_parameters)])
def test_the_recurrent_net_has_as_many_parameters_as_the_formulas_say(cell, formula):
    model = RecurrentNet(nn.Embedding(31, 32, padding_idx=0), 32, 18, hidden=24, cell=cell)
    expected = embedding_parameters(31, 32) + formula(32, 24) + linear_parameters(24, 18)
    assert count_parameters(model).total == expected
    pooled = RecurrentNet(nn.Embedding(31, 32, padding_idx=0), 32, 18, 24, cell, AttentionPool(24), dropout=0.5)
    assert count_parameters(pooled).total == expected + linear_parameters(24, 1)


def test_the_conv_net_has_as_many_parameters_as_the_formulas_say():
    model = ConvNet(nn.Identity(), 32, 10)
    assert count_parameters(model).total == conv_parameters(32, 320, (5,)) + linear_parameters(320, 10) == 54_730
    deep = ConvNet(nn.Identity(), 32, 10, channels=(20, 30, 40), dilations=(1, 2, 4))
    convolutions = conv_parameters(32, 20, (5,)) + conv_parameters(20, 30, (5,)) + conv_parameters(30, 40, (5,))
    assert count_parameters(deep).total == convolutions + linear_parameters(40, 10)


@every_kind
@every_network
def test_a_network_returns_one_logit_for_each_class(network, kind):
    model, x = make(network, kind)
    assert model(x).shape == (6, 3)
    assert model(x).isfinite().all()


@pytest.mark.parametrize("network", [RecurrentNet, ConvNet])
def test_dropout_sits_before_the_output_layer_and_changes_no_initial_weight(network):
    states = []
    for rate in (0.0, 0.5):
        torch.manual_seed(0)
        model = network(nn.Identity(), 4, 3, dropout=rate)
        assert [type(m) for m in model.head] == [nn.Dropout, nn.Linear]
        assert model.head[0].p == rate
        states.append(model.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


# ---------------------------------------------------------------------------------------------------- empty sequences
# The makers of sequences refuse empty ones (tests/data/test_padding.py). What the networks would do with one:


@every_kind
@every_network
def test_an_empty_sequence_among_others_changes_nothing_for_them(network, kind):
    model, x = make(network, kind)
    x[2] = 0
    others = [0, 1, 3, 4, 5]
    assert torch.allclose(model(x)[others], model(x[others]), atol=1e-6)


@every_kind
def test_an_empty_sequence_is_an_answer_without_evidence_or_none_at_all(kind):
    for network in ("one convolution", "three dilated convolutions"):
        model, x = make(network, kind)
        x[2] = 0
        assert torch.equal(model(x)[2], model.head[1].bias)  # nothing was found
    model, x = make("lstm with attention", kind)
    x[2] = 0
    assert model(x)[2].isnan().all()  # the mean of no states


@every_kind
@every_network
def test_a_batch_of_nothing_but_empty_sequences_is_an_error(network, kind):
    model, x = make(network, kind)
    with pytest.raises((RuntimeError, IndexError)):
        model(torch.zeros_like(x))
