"""What `fit` and `evaluate` refuse, in one sentence each, before it ends in silent nonsense or in the middle of an epoch."""

import math
from collections.abc import Mapping

import torch
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from companion.models.modes import evaluation_mode
from companion.training.history import TrainingDiverged


def check_targets(targets, outputs):
    """Raise ValueError unless the targets are classes of the network, or floats of the shape of its outputs.

    `outputs` are those of any batch. A class that does not exist would end the whole process on a GPU; another shape would be
    broadcast in silence: (N,) against (N, 1) makes N·N differences.
    """
    whole = not (targets.is_floating_point() or targets.is_complex() or targets.dtype == torch.bool)
    if whole and targets.dim() == 1 and outputs.dim() == 2 and outputs.shape[1] > 1:
        count, low, high = outputs.shape[1], int(targets.min()), int(targets.max())
        if low < 0 or high >= count:
            raise ValueError(
                f"the labels run from {low} to {high}, but the network has {count} outputs, one for each of the classes "
                f"0 to {count - 1}"
            )
    elif not outputs.dim() or targets.shape[1:] != outputs.shape[1:] or targets.dtype != outputs.dtype:
        raise ValueError(
            f"the targets have the shape {_shape(targets)} ({_kind(targets)}), the network's outputs {_shape(outputs)} "
            f"({_kind(outputs)}): targets are whole numbers (N,) for outputs (N, C), one for each class, or else floats of "
            "the outputs' own shape and kind, which .unsqueeze(1) and .float() often make of them"
        )


def _shape(tensor):
    """(128, 3) as "(N, 3)": how many items there are does not matter."""
    if not tensor.dim():
        return "()"
    return f"(N, {', '.join(map(str, tensor.shape[1:]))})" if tensor.dim() > 1 else "(N,)"


def _kind(tensor):
    return str(tensor.dtype).removeprefix("torch.")


def check_model(model):
    """Raise ValueError for a model that `fit` cannot train: without trainable parameters, or with a dropout rate of 1."""
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError("there is nothing to train: the model has no parameter that requires a gradient")
    for module in model.modules():
        if isinstance(module, _DropoutNd) and not 0 <= module.p < 1:
            raise ValueError(f"a dropout rate must be at least 0 and below 1, not {module.p}: at 1 every unit is off")


def check_metrics(metrics):
    """Raise ValueError unless metrics are functions by name, and each name can stand behind `history.val_`."""
    if not isinstance(metrics, Mapping):
        raise ValueError(f'metrics are given by name, as in metrics={{"accuracy": accuracy}}, not as {metrics!r}')
    for name, metric in metrics.items():
        if not str(name).isidentifier() or name == "loss" or not callable(metric):
            raise ValueError(
                f"a metric is a function with a name like mae, read as history.val_mae, and not loss, which is there anyway: "
                f"{name!r} cannot be {metric!r}"
            )


def outputs_of_one(model, one):
    """What the model makes of one item, and its batch normalisations that see a single value of each channel in it.

    These cannot be trained on a batch of one item: its standard deviation would be zero.
    """
    lonely = []

    def look(module, inputs):
        if inputs[0].numel() == inputs[0].shape[1]:
            lonely.append(module)

    handles = [m.register_forward_pre_hook(look) for m in model.modules() if isinstance(m, _BatchNorm)]
    try:
        with torch.no_grad(), evaluation_mode(model):
            return model(one), lonely
    finally:
        for handle in handles:
            handle.remove()


def check_sizes(sizes, lonely):
    """Raise ValueError when a batch of these sizes holds one item and one of these batch normalisations is in training mode."""
    if 1 in sizes and any(module.training for module in lonely):
        raise ValueError(
            "a batch of this epoch holds a single item, and batch normalisation needs two to train on: choose another "
            f"batch_size, so that {sum(sizes):,} items leave no batch of one"
        )


def check_finite(measured, epoch):
    """Raise TrainingDiverged when a loss in {curve: value} is not finite, ValueError when a metric is not."""
    bad = {name: value for name, value in measured.items() if not math.isfinite(value)}
    losses = [value for name, value in bad.items() if name.endswith("_loss")]
    if losses:
        raise TrainingDiverged(
            f"the loss became {losses[0]} in epoch {epoch}: try a smaller learning rate, or look for bad values in the data"
        )
    for name, value in bad.items():
        raise ValueError(
            f"{name} became {value} in epoch {epoch}, with finite losses: a metric gives a finite number for every item"
        )
