"""MNIST: the reader of IDX files, on a few made-up digits."""

import gzip
import hashlib
import struct
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from data_files import (
    real_folder,
    refusal,
)

from companion.data.mnist import MNIST_SHA256, load_mnist
from companion.data.splits import fingerprint


def idx(array):
    """The array as an IDX file, written from the format's description."""
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def mnist(tmp_path, monkeypatch):
    """A data folder with six training and three validation images as .gz files, accepted as the true set."""
    rng = np.random.default_rng(0)
    arrays = [rng.integers(0, 10, size, dtype=np.uint8) for size in ((6, 28, 28), 6, (3, 28, 28), 3)]
    monkeypatch.setattr("companion.data.mnist.MNIST_FINGERPRINT", fingerprint(*arrays))
    monkeypatch.setattr("companion.data.mnist.MNIST_URLS", ())
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, array in zip(MNIST_SHA256, arrays, strict=True):
        (raw / name).write_bytes(gzip.compress(idx(array)))
    return SimpleNamespace(root=tmp_path, raw=raw, arrays=arrays)


def unpack(raw):
    for packed in raw.glob("*.gz"):
        packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
        packed.unlink()


@pytest.mark.parametrize("packing", ["gz", "plain"])
@pytest.mark.filterwarnings("error")
def test_mnist_is_read_as_it_was_written(packing, mnist):
    if packing == "plain":
        unpack(mnist.raw)
    splits = load_mnist(mnist.root)
    images, labels, val_images, val_labels = mnist.arrays
    assert np.array_equal(splits.train.images.numpy(), images[:, None])
    assert np.array_equal(splits.val.images.numpy(), val_images[:, None])
    assert splits.train.labels.tolist() == labels.tolist()
    assert splits.val.labels.tolist() == val_labels.tolist()


@pytest.mark.parametrize("packing", ["gz", "plain"])
def test_mnist_is_read_under_the_names_that_it_has_at_kaggle(packing, mnist):
    if packing == "plain":
        unpack(mnist.raw)
    for path in list(mnist.raw.iterdir()):
        path.rename(path.with_name(path.name.replace("-idx", ".idx")))
    assert (mnist.raw / f"train-images.idx3-ubyte{'.gz' * (packing == 'gz')}").is_file()
    assert np.array_equal(load_mnist(mnist.root).train.images.numpy(), mnist.arrays[0][:, None])


def test_folders_that_bear_the_names_of_the_mnist_files_are_passed_over(mnist):
    for name in MNIST_SHA256:
        (mnist.raw / name.removesuffix(".gz")).mkdir()
    assert np.array_equal(load_mnist(mnist.root).train.images.numpy(), mnist.arrays[0][:, None])


def test_a_truncated_mnist_file_is_named(mnist):
    path = mnist.raw / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-20])
    message = refusal(load_mnist, mnist.root)
    assert message.startswith("train-images-idx3-ubyte.gz is damaged")
    assert "`companion data mnist`" in message


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\x08",
        b"\0\0\x08\x03\0\0",
        b"hello, this is no IDX file",
        b"\0\0\x0d\x01\0\0\0\x01\0",
        idx(np.zeros(5, np.uint8))[:-1],
    ],
    ids=["empty", "half a magic number", "half a shape", "text", "of floats", "truncated"],
)
def test_a_plain_mnist_file_that_is_wrong_is_named(content, mnist):
    unpack(mnist.raw)
    (mnist.raw / "t10k-labels-idx1-ubyte").write_bytes(content)
    message = refusal(load_mnist, mnist.root)
    assert message.startswith("t10k-labels-idx1-ubyte is damaged or not the right file")
    assert "delete t10k-labels-idx1-ubyte and run `companion data mnist`" in message


def test_text_under_the_name_of_a_gzip_file_is_named(mnist):
    (mnist.raw / "train-labels-idx1-ubyte.gz").write_bytes(b"<html>404 not found</html>\n")
    assert refusal(load_mnist, mnist.root).startswith("train-labels-idx1-ubyte.gz is damaged")


def test_other_digits_than_mnist_are_refused_by_their_fingerprint(mnist):
    (mnist.raw / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.zeros(3, np.uint8))))
    message = refusal(load_mnist, mnist.root)
    assert "not the known mnist set" in message
    assert "MNIST/raw" in message


def test_mnist_downloads_what_is_missing(mnist, serve, monkeypatch):
    packed = {path.name: path.read_bytes() for path in mnist.raw.iterdir()}
    (mnist.raw / "train-images-idx3-ubyte.gz").unlink()
    (mnist.raw / "t10k-labels-idx1-ubyte.gz").unlink()
    server = serve(packed)
    monkeypatch.setattr("companion.data.mnist.MNIST_URLS", (server.url,))
    monkeypatch.setattr(
        "companion.data.mnist.MNIST_SHA256", {n: hashlib.sha256(packed[n]).hexdigest() for n in MNIST_SHA256}
    )
    assert len(load_mnist(mnist.root).train) == 6
    assert len(server.ranges_asked) == 2


@pytest.fixture(scope="module")
def real_mnist():
    return load_mnist(real_folder("MNIST", "raw"))


@pytest.mark.realdata
def test_mnist_has_60000_and_10000_digits(real_mnist):
    assert real_mnist.train.images.shape == (60_000, 1, 28, 28)
    assert real_mnist.val.images.shape == (10_000, 1, 28, 28)
    assert real_mnist.train.images.double().mean().item() / 255 == pytest.approx(0.1307, abs=5e-5)  # as published


@pytest.mark.realdata
@pytest.mark.parametrize("part", ["train", "val"])
def test_mnist_equals_what_torchvision_reads(part, real_mnist):
    try:
        from torchvision.datasets import MNIST
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"torchvision cannot be imported here: {error}")
    theirs = MNIST(real_folder("MNIST", "raw"), train=part == "train")
    ours = getattr(real_mnist, part)
    assert torch.equal(ours.images[:, 0], theirs.data)
    assert torch.equal(ours.labels, theirs.targets)
