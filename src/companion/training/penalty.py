"""A penalty on large weights, added to the loss and shown in it, as Keras does it."""

import math

import torch


def kernels(*modules):
    """The weights that Keras' L2 is usually put on: the parameters with more than one dimension, without biases and norms."""
    found = {parameter: None for module in modules for parameter in module.parameters() if parameter.dim() > 1}
    if not found:
        raise ValueError("these modules have no weights with more than one dimension to put a penalty on")
    return list(found)  # each once, even where two layers share it


def l2_penalty(weights, coefficient):
    """coefficient · the sum of the squares of the weights, a list of tensors such as `kernels(model)`: one number to add.

    For example `def loss_fn(outputs, targets): return cross_entropy(outputs, targets) + l2_penalty(kernels(model), 1e-4)`. All
    losses of `fit` then contain the penalty, the validation loss too, as in Keras. The gradient is that of a weight decay of
    twice the coefficient in `SGD` or `Adam` (not in `AdamW`), which leaves the losses as they are.
    """
    weights = [weights] if isinstance(weights, torch.Tensor) else list(weights)
    if not (coefficient >= 0 and math.isfinite(coefficient)):
        raise ValueError(f"the coefficient of a penalty is a number from 0 up, not {coefficient}")
    if not weights:
        raise ValueError("no weights to put a penalty on")
    return coefficient * sum(weight.square().sum() for weight in weights)
