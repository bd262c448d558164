"""Trains and evaluates a network, on CPU or GPU, and returns its learning curves as a `History`."""

import ctypes
import math
import sys
import time
from functools import cache

import torch

from companion.training.batches import checked_batches
from companion.training.history import History, TrainingDiverged

TRAIN_SUBSET = 10_000  # images of the training set that are evaluated after each epoch; all of them after the last


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


@torch.no_grad()
def evaluate(model, images, labels, loss_fn, batch_size=128):
    """Mean loss and accuracy of the model in evaluation mode, as two floats; each module's own mode is restored after.

    `images` (N, ...) and `labels` (N,) may lie on another device than the model.
    """
    set_up()
    if len(labels) == 0:
        raise ValueError("nothing to evaluate: the set is empty")
    device, memory_format = next(model.parameters()).device, memory_format_of(model)
    modes = {module: module.training for module in model.modules()}
    model.eval()
    loss = correct = torch.zeros((), device=device)
    try:
        for step, (x, y) in enumerate(zip(images.split(batch_size), labels.split(batch_size), strict=True)):
            y = y.to(device)
            logits = model(as_input(x.to(device), memory_format))
            if step == 0:
                _check_labels(labels, logits)
            loss = loss + loss_fn(logits, y) * len(y)
            correct = correct + (logits.argmax(1) == y).sum()
    finally:
        for module, mode in modes.items():
            module.training = mode
    return loss.item() / len(labels), correct.item() / len(labels)


def _check_labels(labels, logits):
    """Raise ValueError when a label is no class of the network: on a GPU it would end the whole process."""
    outputs, low, high = logits.shape[1], int(labels.min()), int(labels.max())
    if low < 0 or high >= outputs:
        raise ValueError(
            f"the labels run from {low} to {high}, but the network has {outputs} outputs, one for each of the classes "
            f"0 to {outputs - 1}"
        )


def _check_dropout(model):
    for module in model.modules():
        if isinstance(module, torch.nn.modules.dropout._DropoutNd) and not 0 <= module.p < 1:
            raise ValueError(f"a dropout rate must be at least 0 and below 1, not {module.p}: at 1 every unit is off")


def fit(model, splits, *, epochs, batch_size, optimizer, loss_fn, augment=None, batches=None, device=None, seed):
    """Train the model in place and return its `History`.

    `splits` has `train` and `val`, each with `images` (N, ...) and `labels` (N,). `optimizer` was built on the model's
    parameters. `loss_fn(logits, labels)` returns the mean over the batch. `augment(images, generator)` returns a changed
    batch. `batches(generator)` returns the batches of an epoch as index tensors that hold each training image once, for
    example `length_buckets(...)`; None shuffles the images and cuts them into batches of `batch_size`. `device` is anything
    `pick_device` takes; None leaves the model where it is. `seed` fixes the order of the images, the augmentation and
    dropout; the initial weights are the caller's. Two equal runs on one CPU thread give bit-equal weights.

    Raises `TrainingDiverged` after an epoch whose loss is not finite, and ValueError on an empty split, on labels that
    are no classes of the network, on a dropout rate of 1 or more, and on batches that lose or repeat images.
    """
    set_up()
    if epochs < 1 or batch_size < 1:
        raise ValueError(f"epochs and batch_size must be at least 1, not {epochs} and {batch_size}")
    if not len(splits.train.labels) or not len(splits.val.labels):
        raise ValueError("the training and the validation set must not be empty")
    _check_dropout(model)
    device = next(model.parameters()).device if device is None else pick_device(device)
    model.to(device)
    memory_format = memory_format_of(model)
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)  # dropout draws from PyTorch's own generators

    images, labels = splits.train.images.to(device), splits.train.labels.to(device)
    val_images, val_labels = splits.val.images.to(device), splits.val.labels.to(device)
    n = len(labels)
    subset = torch.randperm(n, generator=torch.Generator().manual_seed(0))[:TRAIN_SUBSET].to(device)
    subset = (images[subset], labels[subset])
    with torch.no_grad():
        one = model.eval()(as_input(images[:1], memory_format))
    _check_labels(labels, one)
    _check_labels(val_labels, one)
    curves = []
    for epoch in range(epochs):
        start = time.perf_counter()
        model.train()
        loss_sum = torch.zeros((), device=device)
        correct = torch.zeros((), dtype=torch.int64, device=device)
        if batches is None:
            order = torch.randperm(n, generator=generator).to(device).split(batch_size)
        else:
            order = [index.to(device) for index in checked_batches(batches(generator), n)]
        for index in order:
            x, y = images.index_select(0, index), labels[index]
            if augment is not None:
                x = augment(x, generator)
            logits = model(as_input(x, memory_format))
            loss = loss_fn(logits, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss_sum += loss.detach() * len(y)
            correct += (logits.detach().argmax(1) == y).sum()
        running_loss, running_accuracy = loss_sum.item() / n, correct.item() / n
        seen = (images, labels) if epoch == epochs - 1 else subset
        train = evaluate(model, *seen, loss_fn, batch_size)
        val = evaluate(model, val_images, val_labels, loss_fn, batch_size)
        bad = [loss for loss in (running_loss, train[0], val[0]) if not math.isfinite(loss)]
        if bad:
            raise TrainingDiverged(
                f"the loss became {bad[0]} in epoch {epoch + 1}: try a smaller learning rate, or look for bad values in "
                "the data"
            )
        curves.append((running_loss, running_accuracy, *train, *val, time.perf_counter() - start))
    return History(*zip(*curves, strict=True), device=device.type)


@torch.no_grad()
def features(backbone, images, batch_size=128):
    """What the backbone makes of images (N, C, H, W), bytes or floats: (N, features) on the CPU, without gradients.

    In evaluation mode; each module's own mode is restored after. Computed once, they serve all epochs of a last layer.
    """
    set_up()
    if len(images) == 0:
        raise ValueError("no images to compute features of: the set is empty")
    memory_format = memory_format_of(backbone)
    device = next(backbone.parameters()).device
    modes = {module: module.training for module in backbone.modules()}
    backbone.eval()
    try:
        batches = images.split(batch_size)
        return torch.cat([backbone(as_input(x.to(device), memory_format)).flatten(1).cpu() for x in batches])
    finally:
        for module, mode in modes.items():
            module.training = mode
