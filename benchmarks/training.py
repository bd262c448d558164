"""How fast is `companion.fit`? Side by side with the bare limit and with the usual PIL + DataLoader loop.

Networks: report A's three-block CNN (channels 32, 64, 16; hidden layer 32) and the MLP 3072-100-10. Batches of 128, Adam
with the same flags for everyone, random pictures: this is about speed only.

- *bare limit*: batches ready in memory as normalised floats, in the network's layout; forward, backward, step; no more.
- *fit*: the engine of the book on bytes, with its own shuffling, normalisation, metrics, and crop and flip where named.
- *PIL + DataLoader*: a data set of PIL pictures, torchvision's transforms (the same crop and flip where named), a
  shuffling DataLoader in this process, loss and hits read by `.item()` each step. The network in PyTorch's own layout.

What is timed: process CPU time, one thread, one set-up (`companion.set_up`: threads, denormals, heap) for all. Models,
optimisers and data are made before the clock starts. Contenders take turns within each repeat, each repeat beginning with
another one; a ratio is formed inside a repeat, and its median over the repeats is held against the bar.

Training is compared, not evaluation: the other two do none, while `fit` evaluates after every epoch, and after the last
one on the whole training set. So while the clock runs `training.evaluate` is replaced by a stub that returns zeros, and
TRAIN_SUBSET is one batch. Everything else that `fit` does counts against it.
"""

import argparse
import json
import platform
import statistics
import sys
import time
from unittest import mock

import torch
from PIL import Image
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from companion import crop_and_flip, fit, set_up, small_cnn, small_mlp, training
from companion.data import Split, Splits

BATCH_SIZE = 128
MLP_EPOCHS = 4  # the MLP is some ten times faster; more epochs make its time measurable

# (contender, what it is measured against, the least ratio of their speeds; None: shown only)
COMPARISONS = [
    ("CNN, NCHW: fit, crop and flip", "CNN, NCHW: bare limit", 0.90),
    ("CNN, channels_last: fit, crop and flip", "CNN, channels_last: bare limit", 0.85),
    ("MLP: fit", "MLP: bare limit", 0.80),
    ("CNN, channels_last: fit, crop and flip", "CNN, NCHW: PIL + DataLoader, crop and flip", 1.6),
    ("CNN, NCHW: fit, crop and flip", "CNN, NCHW: PIL + DataLoader, crop and flip", None),
    ("MLP: fit", "MLP: PIL + DataLoader", 3.5),
]


def make_cnn(layout=torch.contiguous_format):
    torch.manual_seed(0)
    return small_cnn(channels=(32, 64, 16), hidden=32).to(memory_format=layout)


def make_mlp():
    torch.manual_seed(0)
    return small_mlp()


def make_optimizer(model, fused):
    return torch.optim.Adam(model.parameters(), lr=1e-3, fused=fused or None)


def bare_limit(model, optimizer, batches, epochs=1):
    """The network alone on batches that are ready."""
    model.train()
    for _ in range(epochs):
        for x, y in batches:
            loss = cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def pil_and_loader(model, optimizer, loader, epochs=1):
    """The loop of most tutorials."""
    model.train()
    for _ in range(epochs):
        loss_sum, correct = 0.0, 0
        for x, y in loader:
            logits = model(x)
            loss = cross_entropy(logits, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(y)
            correct += (logits.argmax(1) == y).sum().item()


def engine(model, optimizer, splits, augment=None, epochs=1):
    """`fit` without its evaluations."""
    stub = mock.patch.object(training, "evaluate", lambda *arguments: (0.0, 0.0))
    subset = mock.patch.object(training, "TRAIN_SUBSET", BATCH_SIZE)
    options = {"batch_size": BATCH_SIZE, "loss_fn": nn.CrossEntropyLoss(), "augment": augment, "seed": 0}
    with stub, subset:
        fit(model, splits, epochs=epochs, optimizer=optimizer, **options)


class Pictures(Dataset):
    """Pictures kept as arrays and handed out as PIL pictures through transforms, the way torchvision's CIFAR10 does it."""

    def __init__(self, split, crop_and_flip):
        self.arrays, self.labels = split.images.permute(0, 2, 3, 1).contiguous().numpy(), split.labels.tolist()
        augment = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()] if crop_and_flip else []
        normalise = transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
        self.transform = transforms.Compose([*augment, transforms.ToTensor(), normalise])

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.transform(Image.fromarray(self.arrays[index])), self.labels[index]


def make_splits(images):
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randint(256, (images, 3, 32, 32), dtype=torch.uint8, generator=generator)
    train = Split(pictures, torch.randint(10, (images,), generator=generator))
    val = Split(train.images[:BATCH_SIZE], train.labels[:BATCH_SIZE])
    return Splits(train, val, None, tuple("0123456789"), "random", "", "")


def make_batches(split, layout=torch.contiguous_format):
    pairs = zip(split.images.split(BATCH_SIZE), split.labels.split(BATCH_SIZE), strict=True)
    return [(training.as_input(x, layout), y) for x, y in pairs]


def make_contenders(images, fused):
    """{name: (function that makes a model, the loop, what the loop takes beside model and optimiser, epochs)}"""
    splits, last = make_splits(images), torch.channels_last
    loaders = {aug: DataLoader(Pictures(splits.train, aug), BATCH_SIZE, shuffle=True) for aug in (True, False)}
    plain, channels_last = make_batches(splits.train), make_batches(splits.train, last)
    return {
        "CNN, NCHW: bare limit": (make_cnn, bare_limit, [plain], 1),
        "CNN, NCHW: fit, crop and flip": (make_cnn, engine, [splits, crop_and_flip], 1),
        "CNN, channels_last: bare limit": (lambda: make_cnn(last), bare_limit, [channels_last], 1),
        "CNN, channels_last: fit, crop and flip": (lambda: make_cnn(last), engine, [splits, crop_and_flip], 1),
        "CNN, NCHW: PIL + DataLoader, crop and flip": (make_cnn, pil_and_loader, [loaders[True]], 1),
        "MLP: bare limit": (make_mlp, bare_limit, [plain], MLP_EPOCHS),
        "MLP: fit": (make_mlp, engine, [splits, None], MLP_EPOCHS),
        "MLP: PIL + DataLoader": (make_mlp, pil_and_loader, [loaders[False]], MLP_EPOCHS),
    }


def measure(images, repeats, fused):
    """{contender: images per second of CPU time, one number for each repeat}"""
    contenders = make_contenders(images, fused)
    speeds = {name: [] for name in contenders}
    order = list(contenders)
    for repeat in range(-1, repeats):  # the first round only warms up
        for name in order[repeat % len(order) :] + order[: repeat % len(order)]:
            make_model, loop, inputs, epochs = contenders[name]
            model = make_model()
            optimizer = make_optimizer(model, fused)
            start = time.process_time()
            loop(model, optimizer, *inputs, epochs=epochs)
            seconds = time.process_time() - start
            if repeat >= 0:
                speeds[name].append(images * epochs / seconds)
        print(f"\rrepeat {repeat + 1} of {repeats}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return speeds


def compare(speeds):
    """One dictionary for each comparison: the ratio's least, median and greatest value, the bar, and whether it is met."""
    rows = []
    for contender, reference, bar in COMPARISONS:
        ratios = [a / b for a, b in zip(speeds[contender], speeds[reference], strict=True)]
        median = statistics.median(ratios)
        row = {"contender": contender, "against": reference, "min": min(ratios), "median": median, "max": max(ratios)}
        rows.append({**row, "bar": bar, "met": bar is None or median >= bar})
    return rows


def show(speeds, rows):
    print(f"{'contender':45}{'images per CPU second (median)':>32}")
    for name, values in speeds.items():
        print(f"{name:45}{statistics.median(values):32,.0f}")
    print(f"\n{'contender':40}{'against':44}{'min':>6}{'median':>8}{'max':>6}{'bar':>6}")
    for row in rows:
        numbers = f"{row['min']:6.2f}{row['median']:8.2f}{row['max']:6.2f}"
        verdict = "     –" if row["bar"] is None else f"{row['bar']:6.2f}  {'met' if row['met'] else 'MISSED'}"
        print(f"{row['contender']:40}{row['against']:44}{numbers}{verdict}")


def main():
    parser = argparse.ArgumentParser(
        description="Measure companion.fit against the bare limit and against PIL + DataLoader."
    )
    parser.add_argument("--repeats", type=int, default=9, help="at least 7 for a verdict (default: 9)")
    parser.add_argument("--images", type=int, default=5120, help="images per epoch (default: 5120)")
    parser.add_argument("--fused", action="store_true", help="Adam with fused=True, for every contender")
    parser.add_argument("--json", metavar="FILE", help="write all measurements there")
    options = parser.parse_args()
    set_up()
    speeds = measure(options.images, options.repeats, options.fused)
    rows = compare(speeds)
    show(speeds, rows)
    if options.json:
        versions = {"python": platform.python_version(), "torch": torch.__version__}
        settings = {"images": options.images, "batch_size": BATCH_SIZE, "fused": options.fused, **versions}
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"settings": settings, "images_per_cpu_second": speeds, "comparisons": rows}, file, indent=1)
    return 0 if all(row["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
