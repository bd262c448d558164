"""Report E's two networks for digits, counted and compared with the page that writes them out."""

import pytest
import torch
from reading import source
from torch import nn
from torch.nn import functional as F

from companion import conv_net, count_parameters, dense_net, same_conv


def test_the_parameters_are_those_that_the_report_prints():
    dense, conv = count_parameters(dense_net(0.5)), count_parameters(conv_net())
    assert dense.trainable == 696_718 and conv.trainable == 39_790
    running = sum(b.numel() for name, b in dense_net().named_buffers() if "running" in name)
    assert running == 1_768 and dense.trainable + running == 698_486
    assert count_parameters(conv_net(5, 5)).trainable == 260 + 2_510 + 19_610


@pytest.mark.parametrize("kernel", [1, 2, 3, 5, 12, 24])
def test_the_maps_stay_as_large_as_the_image_and_an_even_kernel_pads_right_and_below(kernel):
    layer, x = same_conv(1, 2, kernel), torch.randn(1, 1, 28, 28)
    padding = layer(x).shape
    assert padding == (1, 2, 28, 28)
    before = (kernel - 1) // 2
    wide = F.pad(x, (40, 40, 40, 40))[
        ..., 40 - before : 40 + 28 + kernel - 1 - before, 40 - before : 40 + 28 + kernel - 1 - before
    ]
    assert torch.allclose(layer(x), F.conv2d(wide, layer[1].weight, layer[1].bias), atol=1e-5)


def test_dropout_and_widths_are_those_asked_for():
    rates = [m.p for m in dense_net(0.3, widths=(20, 10, 5)).modules() if isinstance(m, nn.Dropout)]
    assert rates == [0.3, 0.3, 0.3]
    assert [m.p for m in conv_net(3, 3, dropout=0.2).modules() if isinstance(m, nn.Dropout)] == [0.2]


def test_the_package_builds_the_networks_that_the_page_writes_out():
    cells = [cell.source for cell in source("dense-vs-conv").cells if cell.cell_type == "code"]
    names = {"torch": torch, "nn": nn}
    for text in cells:
        if text.startswith(("def dense_net", "def same_conv")):
            exec(text, names)
    for build, theirs in ((dense_net, names["dense_net"]), (conv_net, names["conv_net"])):
        for dropout in (0.0, 0.5):
            torch.manual_seed(0)
            own = build(dropout=dropout)
            torch.manual_seed(0)
            page = theirs(dropout=dropout)
            assert str(own) == str(page)
            weights = zip(own.state_dict().values(), page.state_dict().values(), strict=True)
            assert all(torch.equal(one, other) for one, other in weights)
