"""What the tests ask of small networks."""

import torch
from torch import nn


def reach(*layers, channels=1, flat=False):
    """How many inputs in a row can influence one output of these layers: those with a gradient."""
    x = torch.ones((1, channels, 64) if flat else (1, channels, 64, 64), requires_grad=True)
    model = nn.Sequential(*layers)
    for parameter in model.parameters():
        nn.init.ones_(parameter)
    out = model(x + torch.randn_like(x) / 10)
    middle = (0, 0) + (out.shape[-1] // 2,) * (out.dim() - 2)
    out[middle].backward()
    return int((x.grad.abs().sum(dim=tuple(range(x.dim() - 1))) > 0).sum())
