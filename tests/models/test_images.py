"""The networks that chapters share, against counts and formulas done by hand."""

import pytest
import torch
from torch import nn

from companion.models.images import conv_block, small_cnn, small_gap_cnn, small_mlp


def parameter_count(model):
    return sum(parameter.numel() for parameter in model.parameters())


def count_by_hand(channels, hidden, num_classes=10, image_size=32):
    """Convolutions: (3·3·in + 1)·out each; then (in + 1)·out for the hidden and for the output layer."""
    total, in_channels = 0, 3
    for out_channels in channels:
        total += (9 * in_channels + 1) * out_channels
        in_channels, image_size = out_channels, image_size // 2
    return total + (in_channels * image_size**2 + 1) * hidden + (hidden + 1) * num_classes


def test_report_a_three_blocks_have_37178_parameters():
    assert parameter_count(small_cnn(channels=(32, 64, 16), hidden=32)) == 37_178


@pytest.mark.parametrize(("channels", "hidden"), [((32,), 32), ((32, 64), 32), ((32, 64), 128), ((32, 64, 16), 32)])
def test_the_small_cnn_has_as_many_parameters_as_the_formula_says(channels, hidden):
    assert parameter_count(small_cnn(channels, hidden)) == count_by_hand(channels, hidden)


def test_the_mlp_on_3072_inputs_has_308310_parameters():
    assert parameter_count(small_mlp()) == (3072 + 1) * 100 + (100 + 1) * 10 == 308_310


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_the_small_cnn_returns_one_logit_for_each_class(blocks):
    model = small_cnn(channels=(4, 5, 6)[:blocks], hidden=7, num_classes=11)
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 11)


def test_the_small_cnn_takes_other_image_sizes():
    assert small_cnn((4, 5), 7, image_size=20)(torch.zeros(2, 3, 20, 20)).shape == (2, 10)


def test_the_mlp_returns_one_logit_for_each_class():
    assert small_mlp()(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_a_block_halves_height_and_width():
    assert conv_block(3, 8)(torch.zeros(2, 3, 12, 10)).shape == (2, 8, 6, 5)


def test_pooling_before_relu_equals_relu_before_pooling_bit_by_bit():
    torch.manual_seed(0)
    convolution, pool, relu = conv_block(3, 8)
    images = torch.randn(4, 3, 16, 16)
    results = []
    for order in ((convolution, pool, relu), (convolution, relu, pool)):
        convolution.zero_grad()
        x = images.clone().requires_grad_()
        y = nn.Sequential(*order)(x)
        y.square().sum().backward()
        results.append((y.detach(), x.grad, convolution.weight.grad.clone(), convolution.bias.grad.clone()))
    assert (results[0][0] == 0).any()  # some windows are negative throughout, where both ways cut off
    assert all(torch.equal(ours, usual) for ours, usual in zip(*results, strict=True))


def test_the_weights_of_the_small_cnn_lie_channels_last():
    weights = [m.weight for m in small_cnn().modules() if isinstance(m, nn.Conv2d)]
    assert len(weights) == 2
    assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in weights)


def test_the_memory_format_does_not_change_what_the_network_computes():
    torch.manual_seed(0)
    model, images = small_cnn((4, 5), 7), torch.randn(2, 3, 32, 32)
    fast = model(images.contiguous(memory_format=torch.channels_last))
    plain = model.to(memory_format=torch.contiguous_format)(images)
    assert torch.allclose(fast, plain, atol=1e-6)  # another order of summation, so the last bits may differ


def test_dropout_sits_on_the_hidden_layer():
    *_, hidden, relu, dropout, output = small_cnn(hidden=20, dropout=0.25)
    assert hidden.out_features == output.in_features == 20
    assert isinstance(relu, nn.ReLU)
    assert (type(dropout), dropout.p) == (nn.Dropout, 0.25)


def test_the_dropout_rate_changes_neither_parameters_nor_initial_weights():
    states = []
    for rate in (0.0, 0.5):
        torch.manual_seed(0)
        states.append(small_cnn((4,), 5, dropout=rate).state_dict())
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_the_gap_network_has_as_many_parameters_as_counted_by_hand():
    by_hand = (9 * 3 + 1) * 32 + (9 * 32 + 1) * 64 + (9 * 64 + 1) * 10
    assert parameter_count(small_gap_cnn()) == by_hand == 25_162


@pytest.mark.parametrize(("height", "width"), [(32, 32), (24, 48), (4, 4), (7, 5)])
def test_the_gap_network_takes_any_image_size(height, width):
    assert small_gap_cnn((4, 5), num_classes=7)(torch.zeros(2, 3, height, width)).shape == (2, 7)


def test_the_logits_of_the_gap_network_are_the_means_of_its_last_maps():
    torch.manual_seed(0)
    model, images = small_gap_cnn((4, 5)), torch.randn(3, 3, 12, 16)
    maps = model[:-2](images)
    assert maps.shape == (3, 10, 3, 4)
    assert torch.allclose(model(images), maps.sum(dim=(2, 3)) / 12, atol=1e-6)
