"""Trains and evaluates a network, on CPU or GPU, and returns its learning curves as a `History`."""

import ctypes
import itertools
import sys
import time
from functools import cache

import torch

from companion.models.modes import evaluation_mode
from companion.training import checks
from companion.training.batches import checked_batches
from companion.training.history import PARTS, History
from companion.training.metrics import CLASSIFICATION

TRAIN_SUBSET = 10_000  # items of the training set that are evaluated after each epoch; all of them after the last


@cache
def set_up():
    """Prepare this process for fast, repeatable CPU training; called by `fit` and `evaluate`, harmless to call again.

    One thread makes results repeatable and lets several trainings run side by side; denormal numbers are flushed to zero
    (recurrent networks slow down badly on them); glibc keeps freed memory instead of returning it after each batch.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    if sys.platform == "linux":
        try:
            libc = ctypes.CDLL("libc.so.6")
            libc.mallopt(-4, 0)  # M_MMAP_MAX: large blocks come from the heap too
            libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD: and freed memory stays in it
        except OSError:
            pass  # another C library: only slower


def pick_device(device="auto"):
    """The `torch.device` to use: "auto" takes CUDA, then Apple's MPS, then the CPU."""
    if device in (None, "auto"):
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    return torch.device(device)


def as_input(batch, memory_format=torch.contiguous_format):
    """Images of bytes as floats in [-1, 1], in the given memory format; any other tensor unchanged."""
    if batch.dtype != torch.uint8:
        return batch
    return batch.to(torch.float32, memory_format=memory_format).sub_(127.5).div_(127.5)


def memory_format_of(model):
    """The memory format in which the model's convolutions want their input."""
    for parameter in model.parameters():
        last = parameter.dim() == 4 and parameter.is_contiguous(memory_format=torch.channels_last)
        if last and not parameter.is_contiguous():
            return torch.channels_last
    return torch.contiguous_format


def device_of(model):
    """Where the model is: the device of its first parameter or buffer, and the CPU when it has none."""
    tensors = itertools.chain(model.parameters(), model.buffers())
    return next((tensor.device for tensor in tensors), torch.device("cpu"))


class _Means:
    """The loss and the metrics, summed over items as tensors, so that nothing waits for a GPU until the means are read."""

    def __init__(self, loss_fn, metrics):
        self.loss_fn, self.metrics, self.count = loss_fn, metrics, 0
        self.sums = [0] * (1 + len(metrics))

    def add(self, outputs, targets):
        """Count a batch; returns its loss, gradients and all."""
        n = len(targets)
        if outputs.shape[:1] != (n,):
            raise ValueError(
                f"a batch of {n} items has outputs {tuple(outputs.shape)}: their first dimension is to be {n}"
            )
        loss = self.loss_fn(outputs, targets)
        if loss.dim():
            raise ValueError(
                f"the loss of a batch is one number, its mean over the items, not a tensor {tuple(loss.shape)}"
            )
        outputs, new = outputs.detach(), [loss.detach() * n]
        for name, metric in self.metrics.items():
            values = metric(outputs, targets)
            if values.shape != (n,):
                raise ValueError(
                    f"the metric {name!r} gives a tensor {tuple(values.shape)} for {n} items: it must give one value for "
                    f"each, ({n},)"
                )
            new.append(values.sum())
        self.sums = [old + value for old, value in zip(self.sums, new, strict=True)]
        self.count += n
        return loss

    def read(self):
        return tuple(total.item() / self.count for total in self.sums)


@torch.no_grad()
def evaluate(model, inputs, targets, loss_fn, batch_size=128, metrics=CLASSIFICATION):
    """Mean loss of the model in evaluation mode, then the mean of each metric, as floats; each module's own mode is restored.

    `inputs` (N, ...) and `targets` may lie on another device than the model; the targets are classes (N,), or floats of the
    shape of the outputs. By default the one metric is the accuracy: (loss, accuracy).
    """
    set_up()
    checks.check_metrics(metrics)
    if len(targets) == 0:
        raise ValueError("nothing to evaluate: the set is empty")
    if len(inputs) != len(targets):
        raise ValueError(
            f"each input has one target, but there are {len(inputs):,} inputs and {len(targets):,} targets"
        )
    device, memory_format, means = device_of(model), memory_format_of(model), _Means(loss_fn, metrics)
    with evaluation_mode(model):
        for step, (x, y) in enumerate(zip(inputs.split(batch_size), targets.split(batch_size), strict=True)):
            outputs = model(as_input(x.to(device), memory_format))
            if step == 0:
                checks.check_targets(targets, outputs)
            means.add(outputs, y.to(device))
    return means.read()


def fit(
    model,
    splits,
    *,
    epochs,
    batch_size,
    optimizer,
    loss_fn,
    metrics=CLASSIFICATION,
    augment=None,
    batches=None,
    device=None,
    seed,
):
    """Train the model in place and return its `History`.

    `splits` has `train` and `val`, each with `inputs` (N, ...) and `labels`: classes (N,), or floats of the shape of the
    outputs. `optimizer` was built on the model's parameters. `loss_fn(outputs, targets)` returns the mean over the batch.
    `metrics` are measured beside the loss: functions (outputs, targets) → (N,) by name. `augment(inputs, generator)` returns
    a changed batch. `batches(generator)` returns the batches of an epoch as index tensors that hold each training item once,
    for example `length_buckets(...)`; None shuffles the items and cuts them into batches of `batch_size`. `device` is
    anything `pick_device` takes; None leaves the model where it is. `seed` fixes the order of the items, the augmentation
    and dropout; the initial weights are the caller's. Two equal runs on one CPU thread give bit-equal weights.

    Raises `TrainingDiverged` after an epoch whose loss is not finite, and ValueError on what `checks` refuses: an empty
    split, targets that do not fit the outputs, nothing to train, a dropout rate of 1, batches that lose or repeat items.
    """
    set_up()
    if epochs < 1 or batch_size < 1:
        raise ValueError(f"epochs and batch_size must be at least 1, not {epochs} and {batch_size}")
    if not len(splits.train) or not len(splits.val):
        raise ValueError("the training and the validation set must not be empty")
    checks.check_model(model)
    checks.check_metrics(metrics)
    device = device_of(model) if device is None else pick_device(device)
    model.to(device)
    memory_format = memory_format_of(model)
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)  # dropout draws from PyTorch's own generators

    train, val = ((part.inputs.to(device), part.labels.to(device)) for part in (splits.train, splits.val))
    inputs, targets = train
    some = torch.randperm(len(targets), generator=torch.Generator().manual_seed(0))[:TRAIN_SUBSET].to(device)
    subset = (inputs[some], targets[some])
    one, lonely = checks.outputs_of_one(model, as_input(inputs[:1], memory_format))
    checks.check_targets(targets, one)
    checks.check_targets(val[1], one)

    names = [f"{part}_{name}" for part in PARTS for name in ("loss", *metrics)]
    rows, seconds = [], []
    for epoch in range(1, epochs + 1):
        start = time.perf_counter()
        model.train()
        running = _Means(loss_fn, metrics)
        order = _order(len(targets), batch_size, batches, generator, device)
        checks.check_sizes([len(index) for index in order], lonely)
        for index in order:
            x, y = inputs.index_select(0, index), targets[index]
            if augment is not None:
                x = augment(x, generator)
            loss = running.add(model(as_input(x, memory_format)), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        seen = train if epoch == epochs else subset
        measured = [running.read(), *(evaluate(model, *part, loss_fn, batch_size, metrics) for part in (seen, val))]
        rows.append(sum(measured, ()))
        checks.check_finite(dict(zip(names, rows[-1], strict=True)), epoch)
        seconds.append(time.perf_counter() - start)
    return History(dict(zip(names, zip(*rows, strict=True), strict=True)), seconds, device.type)


def _order(n, batch_size, batches, generator, device):
    """The batches of an epoch as index tensors on the device: the caller's, or the items shuffled and cut."""
    if batches is not None:
        return [index.to(device) for index in checked_batches(batches(generator), n)]
    return torch.randperm(n, generator=generator).to(device).split(batch_size)


@torch.no_grad()
def predict(model, inputs, batch_size=128):
    """The model's outputs for inputs (N, ...), in evaluation mode, without gradients, batch by batch: (N, ...) on the CPU.

    Each module's own mode is restored after.
    """
    set_up()
    if len(inputs) == 0:
        raise ValueError("nothing to predict: the set is empty")
    device, memory_format = device_of(model), memory_format_of(model)
    with evaluation_mode(model):
        return torch.cat([model(as_input(x.to(device), memory_format)).cpu() for x in inputs.split(batch_size)])


def features(backbone, images, batch_size=128):
    """What the backbone makes of images (N, C, H, W), bytes or floats: its outputs, flat, (N, features) on the CPU.

    Computed once by `predict`, they serve all epochs of a last layer.
    """
    return predict(backbone, images, batch_size).flatten(1)
