"""The contenders of training.py, each written the way its users write it.

Every contender is a function of (network, data, epochs, clock): it makes model, optimiser and loaders, and then runs the
clock while it trains. All have the same networks, batches of 128, Adam with a learning rate of 1e-3, cross entropy and one
thread. None evaluates; all but the bare limit find the mean training loss of the epoch, `fit` and `pil` the accuracy too.

- `bare`: the bare limit. Batches ready in memory as normalised floats; forward, backward, step; no more.
- `fit`: the engine of the book on bytes, with its own shuffling, normalisation, crop and flip, and metrics. It evaluates
  after every epoch and the others do not, so `evaluate` is replaced by a stub that returns zeros while the clock runs, and
  TRAIN_SUBSET is one batch. Everything else that `fit` does counts against it, its preparations too.
- `pil`, `pil-workers`: the loop of most tutorials. A data set of PIL pictures, torchvision's transforms (crop and flip where
  the network has them), a shuffling DataLoader in this process or with two workers, loss and hits read by `.item()`.
- `lightning`: a LightningModule that logs its loss once an epoch; a Trainer without logger, checkpoints and progress bar.
  Without augmentation its DataLoader reads a TensorDataset of normalised floats. With crop and flip it reads bytes in memory
  through torchvision's transforms on tensors, image by image, the fastest of the usual ways here. `fastai` and `skorch` have
  the same data sets. `lightning-silent` logs nothing; `lightning-batch` has the book's own crop and flip, of whole batches.
- `keras`: the same network in Keras 3 on PyTorch, `model.fit` on arrays of normalised floats; RandomTranslation and
  RandomFlip are layers of the model. Its layout is Keras' default, NHWC; `keras-nchw` has data_format="channels_first".
- `fastai`: a Learner with fastai's own DataLoaders and its own Adam, without weight decay.
- `skorch`: a NeuralNetClassifier; without augmentation on arrays.

The clock of Lightning, Keras, fastai and skorch starts when their preparations are over, with the first epoch.

Layout: `bare` and `fit` in the book's own (channels_last where there are convolutions), `bare-nchw` and `fit-nchw` in
PyTorch's default, which all the others but `keras` have too.
"""

import importlib
import logging
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from unittest import mock

import torch
from PIL import Image
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torchvision import transforms

from companion import crop_and_flip, small_cnn, small_gap_cnn, small_mlp
from companion.data.splits import Split, Splits
from companion.training import engine

BATCH_SIZE = 128
LEARNING_RATE = 1e-3
NCHW = torch.contiguous_format


@dataclass(frozen=True)
class Network:
    """A network in PyTorch and in Keras, with or without crop and flip."""

    title: str
    build: Callable
    layers: Callable  # Keras layers, from (keras.layers, data format)
    augmented: bool
    epochs: int = 1  # more for a fast network, whose time is too short to measure otherwise

    def model(self, layout=NCHW):
        torch.manual_seed(0)
        model = self.build()
        return model if layout is None else model.to(memory_format=layout)


def _block(layers, channels, **layout):
    convolution = layers.Conv2D(channels, 3, padding="same", **layout)
    return [convolution, layers.MaxPooling2D(2, **layout), layers.ReLU()]


def _cnn_layers(layers, **layout):
    blocks = [layer for channels in (32, 64, 16) for layer in _block(layers, channels, **layout)]
    return [*blocks, layers.Flatten(), layers.Dense(32, activation="relu"), layers.Dropout(0.5), layers.Dense(10)]


def _gap_layers(layers, **layout):
    blocks = [layer for channels in (32, 64) for layer in _block(layers, channels, **layout)]
    return [*blocks, layers.Conv2D(10, 3, padding="same", **layout), layers.GlobalAveragePooling2D(**layout)]


def _mlp_layers(layers, **layout):
    return [layers.Flatten(), layers.Dense(100, activation="relu"), layers.Dense(10)]


NETWORKS = {
    "cnn": Network("three-block CNN, crop and flip", partial(small_cnn, (32, 64, 16), dropout=0.5), _cnn_layers, True),
    "gap": Network("GAP network, crop and flip", small_gap_cnn, _gap_layers, True),
    "mlp": Network("MLP, no augmentation", small_mlp, _mlp_layers, False, epochs=4),
}


@dataclass(frozen=True)
class Data:
    """Random pictures of CIFAR-10's size, as bytes and as normalised floats."""

    splits: Splits
    x: torch.Tensor
    y: torch.Tensor


def make_data(images):
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randint(256, (images, 3, 32, 32), dtype=torch.uint8, generator=generator)
    train = Split(pictures, torch.randint(10, (images,), generator=generator))
    val = Split(train.images[:BATCH_SIZE], train.labels[:BATCH_SIZE])
    splits = Splits(train, val, classes=tuple("0123456789"), name="random", fingerprint="", source="")
    return Data(splits, engine.as_input(train.images), train.labels)


class Clock:
    """CPU and wall time between `start` and `stop`, summed; CPU time includes that of child processes that have ended."""

    def __init__(self):
        self.cpu = self.wall = 0.0

    def start(self, *_, **__):
        self._began = self._now()

    def stop(self, *_, **__):
        cpu, wall = self._now()
        self.cpu, self.wall = self.cpu + cpu - self._began[0], self.wall + wall - self._began[1]

    @staticmethod
    def _now():
        return time.process_time() + sum(os.times()[2:4]), time.perf_counter()


def adam(model):
    return torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


def bare(network, data, epochs, clock, layout=None):
    model = network.model(layout)
    optimizer, layout = adam(model), engine.memory_format_of(model)
    pairs = zip(data.x.split(BATCH_SIZE), data.y.split(BATCH_SIZE), strict=True)
    batches = [(x.contiguous(memory_format=layout), y) for x, y in pairs]
    model.train()
    clock.start()
    for _ in range(epochs):
        for x, y in batches:
            loss = cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    clock.stop()


def fit(network, data, epochs, clock, layout=None):
    model = network.model(layout)
    options = {"optimizer": adam(model), "loss_fn": nn.CrossEntropyLoss(), "batch_size": BATCH_SIZE, "seed": 0}
    options["augment"] = crop_and_flip if network.augmented else None
    stub = mock.patch("companion.training.engine.evaluate", lambda *arguments: (0.0, 0.0))
    with stub, mock.patch("companion.training.engine.TRAIN_SUBSET", BATCH_SIZE):
        clock.start()
        engine.fit(model, data.splits, epochs=epochs, **options)
        clock.stop()


CROP_AND_FLIP = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()]
NORMALISE = transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


class Pictures(Dataset):
    """Arrays handed out as PIL pictures through transforms, the way torchvision's CIFAR10 does it."""

    def __init__(self, split, augmented):
        self.arrays, self.labels = split.images.permute(0, 2, 3, 1).contiguous().numpy(), split.labels.tolist()
        augment = CROP_AND_FLIP if augmented else []
        self.transform = transforms.Compose([*augment, transforms.ToTensor(), NORMALISE])

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.transform(Image.fromarray(self.arrays[index])), self.labels[index]


class TensorPictures(Dataset):
    """Bytes in memory through crop and flip on tensors, image by image."""

    def __init__(self, split):
        self.images, self.labels = split.images, split.labels
        self.transform = transforms.Compose([*CROP_AND_FLIP, transforms.ConvertImageDtype(torch.float32), NORMALISE])

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.transform(self.images[index]), self.labels[index]


def in_memory(network, data):
    """The data set that the frameworks get."""
    return TensorPictures(data.splits.train) if network.augmented else TensorDataset(data.x, data.y)


def usual_epoch(model, loader, optimizer):
    """One epoch of the loop of most tutorials: its summed loss and its hits."""
    loss_sum, correct = 0.0, 0
    for x, y in loader:
        logits = model(x)
        loss = cross_entropy(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(y)
        correct += (logits.argmax(1) == y).sum().item()
    return loss_sum, correct


def pil(network, data, epochs, clock, workers=0):
    model = network.model()
    optimizer = adam(model)
    loader = DataLoader(Pictures(data.splits.train, network.augmented), BATCH_SIZE, shuffle=True, num_workers=workers)
    model.train()
    clock.start()
    for _ in range(epochs):
        usual_epoch(model, loader, optimizer)
    clock.stop()


def lightning(network, data, epochs, clock, batch=False, log=True):
    from lightning import pytorch as pl
    from lightning.pytorch.callbacks import LambdaCallback

    class Classifier(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.model = network.model()

        def training_step(self, batch, index):
            x, y = batch
            loss = cross_entropy(self.model(x), y)
            if log:
                self.log("train_loss", loss, on_step=False, on_epoch=True)
            return loss

        def configure_optimizers(self):
            return adam(self)

    class BatchClassifier(Classifier):
        def on_after_batch_transfer(self, batch, index):
            x, y = batch
            return engine.as_input(crop_and_flip(x, None)), y

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    train = data.splits.train
    dataset = TensorDataset(train.images, train.labels) if batch else in_memory(network, data)
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    timer = LambdaCallback(on_train_start=clock.start, on_train_end=clock.stop)
    trainer = pl.Trainer(
        max_epochs=epochs, accelerator="cpu", devices=1, callbacks=[timer], enable_model_summary=False, **quiet
    )
    loader = DataLoader(dataset, BATCH_SIZE, shuffle=True)
    trainer.fit(BatchClassifier() if batch else Classifier(), loader)


def keras(network, data, epochs, clock, layout="channels_last"):
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    from keras import layers

    x = data.x if layout == "channels_first" else data.x.permute(0, 2, 3, 1)
    x, y = x.contiguous().numpy(), data.y.numpy()
    keras.utils.set_random_seed(0)
    augment = []
    if network.augmented:
        shift = {"fill_mode": "constant", "interpolation": "nearest", "data_format": layout}
        augment = [
            layers.RandomTranslation(4 / 32, 4 / 32, **shift),
            layers.RandomFlip("horizontal", data_format=layout),
        ]
    timer = keras.callbacks.LambdaCallback(on_train_begin=clock.start, on_train_end=clock.stop)
    with keras.device("cpu"):
        model = keras.Sequential([keras.Input(x.shape[1:]), *augment, *network.layers(layers, data_format=layout)])
        if model.count_params() != sum(parameter.numel() for parameter in network.model().parameters()):
            raise RuntimeError(f"{network.title}: the network in Keras is another one than in PyTorch")
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer=keras.optimizers.Adam(LEARNING_RATE), loss=loss)
        model.fit(x, y, batch_size=BATCH_SIZE, epochs=epochs, verbose=0, callbacks=[timer])


def fastai(network, data, epochs, clock):
    from fastai.callback.core import Callback, CancelValidException
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner

    class Timer(Callback):
        before_train, after_train = clock.start, clock.stop

        def before_validate(self):
            raise CancelValidException

    train = in_memory(network, data)
    # drop_last: fastai would leave out the last short batch
    loaders = DataLoaders.from_dsets(train, train, bs=BATCH_SIZE, num_workers=0, device="cpu", drop_last=False)
    learner = Learner(loaders, network.model(), loss_func=nn.CrossEntropyLoss(), wd=0.0, cbs=[Timer()])
    with learner.no_logging():
        learner.fit(epochs, LEARNING_RATE)


def skorch(network, data, epochs, clock):
    from skorch import NeuralNetClassifier
    from skorch.callbacks import Callback

    class Timer(Callback):
        on_train_begin, on_train_end = clock.start, clock.stop

    net = NeuralNetClassifier(
        network.model(),
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=LEARNING_RATE,
        batch_size=BATCH_SIZE,
        max_epochs=epochs,
        iterator_train__shuffle=True,
        train_split=None,
        callbacks=[("timer", Timer())],
        verbose=0,
    ).initialize()
    if network.augmented:
        net.partial_fit(in_memory(network, data), None)
    else:
        net.partial_fit(data.x.numpy(), data.y.numpy())


CONVOLUTIONS = ("cnn", "gap")


@dataclass(frozen=True)
class Contender:
    """How it is called in the tables, what it runs, what it needs beside the package, and on which networks it makes sense."""

    title: str
    run: Callable
    needs: str | None = None
    networks: tuple = tuple(NETWORKS)


CONTENDERS = {
    "bare": Contender("bare limit", bare),
    "bare-nchw": Contender("bare limit, NCHW", partial(bare, layout=NCHW), None, CONVOLUTIONS),
    "fit": Contender("fit", fit),
    "fit-nchw": Contender("fit, NCHW", partial(fit, layout=NCHW), None, CONVOLUTIONS),
    "pil": Contender("PIL + DataLoader", pil),
    "pil-workers": Contender("PIL + DataLoader, 2 workers", partial(pil, workers=2)),
    "lightning": Contender("Lightning", lightning, "lightning"),
    "lightning-silent": Contender("Lightning, no loss reported", partial(lightning, log=False), "lightning", ("mlp",)),
    "lightning-batch": Contender(
        "Lightning, our crop and flip", partial(lightning, batch=True), "lightning", CONVOLUTIONS
    ),
    "keras": Contender("Keras", keras, "keras"),
    "keras-nchw": Contender("Keras, NCHW", partial(keras, layout="channels_first"), "keras", CONVOLUTIONS),
    "fastai": Contender("fastai", fastai, "fastai"),
    "skorch": Contender("skorch", skorch, "skorch"),
}


def why_missing(name):
    """Why the contender cannot run here, as half a sentence, or None."""
    needs = CONTENDERS[name].needs
    os.environ["KERAS_BACKEND"] = "torch"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module(needs or "torch")
    except ModuleNotFoundError as error:
        return (
            f"{needs} is not installed"
            if error.name == needs
            else f"{needs} needs {error.name}, which is not installed"
        )
    except Exception as error:
        return f"{needs} cannot be imported ({error})"
    return None
