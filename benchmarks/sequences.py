"""How fast does `companion.fit` train an LSTM? Against the usual loop, on the same padded batches.

The data are 2,048 reviews of at most 250 words, their lengths distributed like those of IMDB's (generated; `--imdb` takes real
ones). Every contender trains the book's own networks with Adam, on batches padded to 250 words. The networks stop at the
longest review of a batch; among 32 reviews some practically always have 250 words, so all but the buckets read 250 steps.

- `usual`: the loop of most tutorials. Lists of tokens in a Dataset, a shuffling DataLoader whose `collate_fn` pads each batch,
  loss and hits read by `.item()`; the process as PyTorch sets it up, with one thread.
- `usual-set-up`: the same after `companion.set_up`, which flushes denormals and keeps freed memory.
- `fit`: the engine of the book, evaluation left out as in contenders.py.
- `fit-buckets`: the same with `batches=length_buckets(...)`. Its batches are other ones: reported, not held against a bar.

What is timed: CPU time of one epoch, one thread. Flushing and memory are states of a process, so each contender has a process
of its own, where everything is made before the clock starts; they take turns within a repeat, and the first round only warms
up. Small gradients are slow where they become denormal, and how small they are depends on the weights. So each contender
trains epochs 1, 2 and 11 from the same weights, those that `fit` has reached after 0, 1 and 10 epochs. The bar is held
against epochs 1 and 2 together, the start of every training; the ratio is formed inside a repeat, its median counts.
"""

import multiprocessing
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from unittest import mock

import torch
from common import arguments, bar_and_verdict, heading, markdown, publish, span, summary, surroundings
from contenders import Clock, adam, usual_epoch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from companion import ConvNet, RecurrentNet, load_imdb, sequence_lengths, set_up
from companion.data.splits import Split, Splits
from companion.training import engine
from companion.training.batches import length_buckets

BAR = 3.0  # the least ratio of fit's speed to the usual loop's, for the LSTM with the book's batches of 32, epochs 1 and 2
LENGTH, WORDS = 250, 10_002  # the vocabulary counts "(padding)" and "(unknown)"
QUANTILES = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.697, 1]  # of IMDB's training reviews, which have
LENGTHS = [12, 43, 66, 90, 127, 174, 250, 250]  # these lengths, cut at 250: mean 177, median 174, 30 % cut
BEGINNING, LATER = (0, 1), (10,)  # epochs that lie behind the ones that are timed

# ------------------------------------------------------------------------------------------------------------- data


def make_reviews(count):
    """Random reviews (N, 250) and labels; one word in twenty is of a hundred that only this label has."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(2, (count,), generator=generator)
    tokens = (WORDS ** torch.rand(count, LENGTH, generator=generator)).int().clamp(1, WORDS - 1)  # 1 / rank, like words
    telling = torch.randint(200, 300, (count, LENGTH), generator=generator) + 100 * labels[:, None]
    tokens = torch.where(torch.rand(count, LENGTH, generator=generator) < 0.05, telling, tokens)
    lengths = interpolate(torch.rand(count, generator=generator), QUANTILES, LENGTHS).round()
    tokens[torch.arange(LENGTH) >= lengths[:, None]] = 0
    return Split(tokens.int(), labels)


def interpolate(at, x, y):
    x, y = torch.tensor(x), torch.tensor(y, dtype=torch.float32)
    i = torch.searchsorted(x, at).clamp(1, len(x) - 1)
    return y[i - 1] + (at - x[i - 1]) / (x[i] - x[i - 1]) * (y[i] - y[i - 1])


def real_reviews(count):
    """As many of IMDB's training reviews, drawn at random."""
    train = load_imdb().train
    some = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:count]
    return Split(train.inputs[some], train.labels[some])


class Reviews(Dataset):
    """Lists of tokens with their labels."""

    def __init__(self, split):
        lengths = sequence_lengths(split.inputs).tolist()
        self.tokens = [row[:n] for row, n in zip(split.inputs.tolist(), lengths, strict=True)]
        self.labels = split.labels.tolist()

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.tokens[index], self.labels[index]


def collate(batch):
    """A padded tensor of a batch of reviews, and their labels."""
    x = torch.zeros(len(batch), LENGTH, dtype=torch.int64)
    for row, (tokens, _) in zip(x, batch, strict=True):
        row[: len(tokens)] = torch.tensor(tokens)
    return x, torch.tensor([label for _, label in batch])


# --------------------------------------------------------------------------------------------------------- networks


@dataclass(frozen=True)
class Network:
    """A network of the book, its batches, and how many epochs lie behind those that are timed."""

    title: str
    build: Callable
    batch_size: int = 32
    after: tuple = BEGINNING + LATER

    def model(self):
        torch.manual_seed(0)
        return self.build(nn.Embedding(WORDS, 32, padding_idx=0), 32, 2)


NETWORKS = {
    "lstm": Network("LSTM with 32 units, batches of 32", RecurrentNet),
    "lstm-128": Network("LSTM with 32 units, batches of 128", RecurrentNet, 128),
    "gru": Network("GRU with 32 units, batches of 32", partial(RecurrentNet, cell=nn.GRU), after=BEGINNING),
    "conv": Network("One convolution with 320 channels, batches of 32", ConvNet, after=BEGINNING),
}

# -------------------------------------------------------------------------------------------------------- contenders


def usual(model, split, batch_size, clock):
    optimizer = adam(model)
    loader = DataLoader(Reviews(split), batch_size, shuffle=True, collate_fn=collate)
    model.train()
    clock.start()
    usual_epoch(model, loader, optimizer)
    clock.stop()


def fit(model, split, batch_size, clock, buckets=False):
    optimizer = adam(model)
    stub = mock.patch("companion.training.engine.evaluate", lambda *arguments: (0.0, 0.0))
    with stub, mock.patch("companion.training.engine.TRAIN_SUBSET", batch_size):
        clock.start()
        batches = length_buckets(sequence_lengths(split.inputs), batch_size) if buckets else None
        train(model, split, batch_size, optimizer, 1, batches)
        clock.stop()


def train(model, split, batch_size, optimizer, epochs, batches=None):
    few = Split(split.inputs[:batch_size], split.labels[:batch_size])
    splits = Splits(split, few, classes=("bad", "good"), name="reviews", fingerprint="", source="")
    options = {"optimizer": optimizer, "loss_fn": nn.CrossEntropyLoss(), "batch_size": batch_size, "batches": batches}
    return engine.fit(model, splits, epochs=epochs, **options, seed=0)


@dataclass(frozen=True)
class Contender:
    """How it is called in the tables, what it runs, and whether its process is set up as the book's."""

    title: str
    run: Callable
    set_up: bool


CONTENDERS = {
    "usual": Contender("usual loop", usual, False),
    "usual-set-up": Contender("usual loop after set_up", usual, True),
    "fit": Contender("fit", fit, True),
    "fit-buckets": Contender("fit, length buckets", partial(fit, buckets=True), True),
}

# ------------------------------------------------------------------------------------------------------ measurement


def prepare(name):
    """Set up the process of a contender."""
    torch.set_num_threads(1)
    if CONTENDERS[name].set_up:
        set_up()


@cache
def read(path):
    return torch.load(path, weights_only=True)


def epoch(name, key, after, folder):
    """Train one epoch, in the contender's process: its times, its steps, and what it read."""
    network, contender = NETWORKS[key], CONTENDERS[name]
    split = Split(**read(folder / "reviews.pt"))
    model = network.model()
    model.load_state_dict(read(folder / f"{key}-{after}.pt"))
    read_words, clock = [], Clock()
    model.embed.register_forward_pre_hook(lambda _, x: read_words.append(x[0].numel()) if model.training else None)
    with mock.patch.object(torch.autograd, "backward", wraps=torch.autograd.backward) as backward:
        contender.run(model, split, network.batch_size, clock)
    return {
        "cpu": clock.cpu,
        "wall": clock.wall,
        "steps": backward.call_count,
        "read": sum(read_words) / len(split),
        "flushed": (torch.tensor([1e-38]) * 1e-3).item() == 0,
        "threads": torch.get_num_threads(),
    }


def check(name, network, count, found):
    """RuntimeError when the contender did other work than it should, or in another process state."""
    expected = {"steps": -(-count // network.batch_size), "flushed": CONTENDERS[name].set_up, "threads": 1}
    for what, value in expected.items():
        if found[what] != value:
            raise RuntimeError(f"{name}, {network.title}: {what} {found[what]} instead of {value}")
    if name != "fit-buckets" and found["read"] < 0.95 * LENGTH:  # a short last batch may be without a long review
        raise RuntimeError(
            f"{name}, {network.title}: {found['read']:.0f} words read of each review instead of {LENGTH}"
        )


def save_weights(key, split, folder):
    """Save the weights after each of the network's numbers of epochs; the last accuracy on the training set."""
    network, done, accuracy = NETWORKS[key], 0, None
    model = network.model()
    for after in network.after:
        if after > done:
            history = train(model, split, network.batch_size, adam(model), after - done)
            done, accuracy = after, history.train_accuracy[-1]
        torch.save(model.state_dict(), folder / f"{key}-{after}.pt")
    return accuracy


def race(key, workers, count, folder, repeats):
    """{contender: {epochs before: [what `epoch` found, one for each repeat]}}"""
    network, names = NETWORKS[key], list(workers)
    found = {name: {after: [] for after in network.after} for name in names}
    for repeat in range(-1, repeats):  # the first round only warms up
        first = repeat % len(names)
        for name in names[first:] + names[:first]:
            for after in network.after[:1] if repeat < 0 else network.after:
                result = workers[name].submit(epoch, name, key, after, folder).result()
                check(name, network, count, result)
                if repeat >= 0:
                    found[name][after].append(result)
        print(f"\r{network.title}: repeat {repeat + 1} of {repeats}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return found


def measure(keys, names, split, repeats):
    """The races of all networks, each contender in a process of its own."""
    spawn, networks = multiprocessing.get_context("spawn"), {}
    workers = {name: ProcessPoolExecutor(1, spawn, initializer=prepare, initargs=(name,)) for name in names}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        torch.save({"inputs": split.inputs, "targets": split.targets}, folder / "reviews.pt")
        try:
            for key in keys:
                accuracy = save_weights(key, split, folder)
                found = race(key, workers, len(split), folder, repeats)
                rows = compare(key, found, len(split))
                networks[key] = {"trained_accuracy": accuracy, "found": found, "rows": rows}
        finally:
            for worker in workers.values():
                worker.shutdown()
    return networks


# ----------------------------------------------------------------------------------------------------------- tables


def seconds(found, name, epochs):
    """CPU seconds of these epochs together, one number for each repeat."""
    return [sum(r["cpu"] for r in results) for results in zip(*[found[name][after] for after in epochs], strict=True)]


def ratio(found, name, epochs):
    """fit's speed divided by the contender's, repeat by repeat; None when there is nothing to compare."""
    if name == "fit" or "fit" not in found or not set(epochs) <= set(found[name]):
        return None
    return summary([a / b for a, b in zip(seconds(found, name, epochs), seconds(found, "fit", epochs), strict=True)])


def compare(key, found, count):
    """One row for each contender of a network: its speed, fit's ratios to it, the bar, and whether it is met."""
    rows = []
    for name in found:
        row = {"contender": name, "read": found[name][0][0]["read"]}
        row["speed"] = summary([len(BEGINNING) * count / s for s in seconds(found, name, BEGINNING)])
        row["first"], row["ratio"], row["later"] = (ratio(found, name, e) for e in (BEGINNING[:1], BEGINNING, LATER))
        row["bar"] = BAR if (key, name) == ("lstm", "usual") and row["ratio"] else None
        row["met"] = None if row["bar"] is None else row["ratio"]["median"] >= row["bar"]
        rows.append(row)
    return rows


def table(rows):
    """The rows of a network as a Markdown table."""
    header = ["contender", "reviews per CPU second", "words read of each", "fit is … times as fast, epochs 1 and 2"]
    lines = []
    for row in rows:
        bar, verdict = bar_and_verdict(row)
        ratios = [span(row[name], ".2f") for name in ("ratio", "first", "later")]
        title, speed = CONTENDERS[row["contender"]].title, span(row["speed"], ",.0f")
        lines.append([title, speed, f"{row['read']:.0f}", *ratios, bar, verdict])
    return markdown([*header, "epoch 1", "epoch 11", "bar", ""], lines)


def report(result):
    """The whole result as Markdown."""
    lines = heading("Benchmark of training on sequences", result["surroundings"])
    text = "Median (least–greatest) of {repeats} repeats; {data}; one thread."
    lines += [text.format_map(result["settings"]), ""]
    for key, network in result["networks"].items():
        lines += [f"## {NETWORKS[key].title}", "", table(network["rows"]), ""]
        if LATER[0] in NETWORKS[key].after:
            lines += [f"Accuracy on these reviews before epoch 11: {network['trained_accuracy']:.2f}.", ""]
    return "\n".join(lines)


def describe(split, name):
    lengths = sequence_lengths(split.inputs)
    full = (lengths == LENGTH).float().mean().item()
    return (
        f"{len(split):,} {name} reviews, of {lengths.float().mean():.0f} words on average (median {lengths.median()}), "
        f"{full:.0%} of them with all {LENGTH}"
    )


def main():
    description = "Measure companion.fit on padded sequences against the usual loop."
    flags = {"--imdb": "real reviews, from COMPANION_DATA or downloaded"}
    options = arguments(description, CONTENDERS, NETWORKS, "reviews", 2048, flags, repeats=5, least=5)
    set_up()
    split = real_reviews(options.reviews) if options.imdb else make_reviews(options.reviews)
    settings = {"repeats": options.repeats, "data": describe(split, "real" if options.imdb else "generated")}
    result = {"surroundings": surroundings(), "settings": settings}
    result["networks"] = measure(options.networks, options.contenders, split, options.repeats)
    name = "sequences-imdb" if options.imdb else "sequences"
    publish(result, report(result), options.output, name)
    return 1 if False in [row["met"] for network in result["networks"].values() for row in network["rows"]] else 0


if __name__ == "__main__":
    sys.exit(main())
