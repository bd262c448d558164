"""Trains and evaluates a classifier, on CPU or GPU, and returns its learning curves as a `History`."""

import ctypes
import math
import sys
import time
from dataclasses import dataclass, fields
from functools import cache

import torch
from torch.nn import functional as F

TRAIN_SUBSET = 10_000  # images of the training set that are evaluated after each epoch; all of them after the last


class TrainingDiverged(ArithmeticError):
    """The loss is no longer a finite number."""


@dataclass(frozen=True)
class History:
    """Learning curves of one run: one number per epoch, losses as means per image, accuracies as fractions.

    `train_*` and `val_*` are measured after the epoch in evaluation mode. `train_*` uses a fixed subset of 10,000 training
    images, and the whole training set after the last epoch. `running_*` are the averages over the epoch's own batches,
    in training mode and with the weights still moving. `seconds` is the wall time of each epoch, evaluation included.
    """

    running_loss: tuple
    running_accuracy: tuple
    train_loss: tuple
    train_accuracy: tuple
    val_loss: tuple
    val_accuracy: tuple
    seconds: tuple
    device: str = "cpu"

    @property
    def epochs(self):
        return len(self.val_loss)


def join_histories(histories):
    """The history of a training in stages: the curves of several `fit`s of one model, one after the other."""
    if not histories:
        raise ValueError("no histories to join")
    curves = [field.name for field in fields(History) if field.name != "device"]
    joined = {name: sum((getattr(history, name) for history in histories), ()) for name in curves}
    return History(**joined, device=histories[0].device)


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


def crop_and_flip(images, generator, padding=4):
    """Augment a batch (N, C, H, W): random shifts of up to `padding` pixels, and half of the images mirrored.

    Random numbers come from `generator`, on the CPU. The first k images are mirrored, k ~ Binomial(N, 1/2): in a shuffled
    batch that is the same as a coin toss for each image, and faster.
    """
    n, _, height, width = images.shape
    flips = int(torch.randint(2, (n,), generator=generator).sum())
    top, left = torch.randint(2 * padding + 1, (2, n), generator=generator).to(images.device, non_blocking=True)
    padded = F.pad(images, (padding,) * 4)
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)  # a view: (N, C, offsets, offsets, H, W)
    cropped = windows[torch.arange(n, device=images.device), :, top, left]
    return torch.cat([cropped[:flips].flip(3), cropped[flips:]])


def shift_images(images, right=0, down=0):
    """Move the images (..., H, W) by whole pixels; negative numbers go left and up. The edge pixels fill what comes free."""
    height, width = images.shape[-2:]
    rows = (torch.arange(height) - down).clamp(0, height - 1)
    columns = (torch.arange(width) - right).clamp(0, width - 1)
    return images[..., rows, :][..., columns]


def shift_accuracy(model, split, shifts):
    """Accuracy on the split's images moved by each number of pixels: the mean of left, right, up and down."""
    accuracies = []
    for pixels in shifts:
        moves = [(0, 0)]
        if pixels:
            moves = [(pixels, 0), (-pixels, 0), (0, pixels), (0, -pixels)]
        scores = []
        for move in moves:
            images = shift_images(split.images, *move)
            scores.append(evaluate(model, images, split.labels, F.cross_entropy)[1])
        accuracies.append(sum(scores) / len(scores))
    return accuracies


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


def length_buckets(lengths, batch_size, pool=50):
    """For `fit(..., batches=length_buckets(lengths, batch_size))`: batches of sequences of similar length.

    `lengths` (N,) are the steps of the training sequences, in their order; `sequence_lengths(inputs)` finds them. Each epoch
    shuffles the sequences, cuts them into pools of `pool` batches, sorts each pool by length, cuts it into batches and
    shuffles these. A network that stops at its batch's longest sequence then reads little padding. It is a choice, not the
    default: other sequences meet in a batch, so the training is another one than with `batches=None`.
    """
    lengths = torch.as_tensor(lengths).cpu()
    if lengths.dim() != 1:
        raise ValueError(f"lengths must hold one number for each sequence, not have the shape {tuple(lengths.shape)}")
    if batch_size < 1 or pool < 1:
        raise ValueError(f"batch_size and pool must be at least 1, not {batch_size} and {pool}")

    def batches(generator):
        pools = torch.randperm(len(lengths), generator=generator).split(pool * batch_size)
        cut = [batch for p in pools for batch in p[lengths[p].argsort(stable=True)].split(batch_size)]
        return [cut[i] for i in torch.randperm(len(cut), generator=generator)]

    return batches


def _checked(batches, n):
    """The batches; ValueError when they do not hold each of the n training items once."""
    batches = [torch.as_tensor(batch) for batch in batches]
    items = [item for batch in batches for item in batch.tolist()]
    if sorted(items) != list(range(n)) or not all(map(len, batches)):
        raise ValueError(
            f"the batches of an epoch must hold each of the {n:,} training items once and none may be empty: here they hold "
            f"{len(items):,} indices, of which {len(set(items) & set(range(n))):,} are different items"
        )
    return batches


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
            order = [index.to(device) for index in _checked(batches(generator), n)]
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
