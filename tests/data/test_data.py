"""The data sets: the embedded ones, the safe readers of the real ones, and the download."""

import gzip
import hashlib
import io
import os
import pickle
import re
import shutil
import socket
import struct
import tarfile
import tempfile
import threading
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from companion.data import digits, files, load_dataset
from companion.data.cifar import CIFAR10_FINGERPRINT, _ArrayUnpickler, load_cifar10
from companion.data.digits import load_digits, load_photo_digits
from companion.data.files import DataError
from companion.data.mnist import MNIST_SHA256, load_mnist
from companion.data.splits import Split, fingerprint

BATCHES = [f"data_batch_{k}" for k in range(1, 6)]


def refusal(call, *arguments):
    """The message of the DataError that the call raises, once it is sure to be one sentence."""
    with pytest.raises(DataError) as caught:
        call(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


# ---------------------------------------------------------------------------------------------------- embedded sets


@pytest.fixture(scope="module")
def photo_digits():
    return load_photo_digits()


def test_photo_digits_are_5000_colour_images_of_ten_classes(photo_digits):
    for split, count in ((photo_digits.train, 4000), (photo_digits.val, 1000)):
        assert split.images.shape == (count, 3, 32, 32)
        assert split.images.dtype == torch.uint8
        assert split.images.is_contiguous()
        assert split.labels.dtype == torch.int64
        assert sorted(split.labels.unique().tolist()) == list(range(10))
    assert photo_digits.test is None
    assert photo_digits.classes == tuple("0123456789")


def test_photo_digits_of_one_seed_are_the_same_bytes_twice():
    first, second = load_photo_digits(3, 50, 20), load_photo_digits(3, 50, 20)
    assert torch.equal(first.train.images, second.train.images)
    assert torch.equal(first.val.images, second.val.images)
    assert first.fingerprint == second.fingerprint


def test_photo_digits_of_another_seed_are_other_bytes():
    assert load_photo_digits(3, 50, 20).fingerprint != load_photo_digits(4, 50, 20).fingerprint


def test_photo_digits_are_the_same_on_every_machine_with_the_pinned_pillow(photo_digits):
    pins = (Path(__file__).parents[2] / "constraints.txt").read_text(encoding="utf-8").lower()
    if f"pillow=={version('pillow')}\n" not in pins:
        pytest.skip("another Pillow than the pinned one resizes and decodes with other rounding")
    assert photo_digits.fingerprint.startswith("d136cd50b2c6")


def use_photographs(monkeypatch, left, right):
    """Two plain photographs: the left three quarters in one colour, the right quarter in another."""
    photo = np.zeros((60, 400, 3), np.uint8)
    photo[:, :300], photo[:, 300:] = left, right
    monkeypatch.setattr("sklearn.datasets.load_sample_images", lambda: SimpleNamespace(images=[photo, photo]))


def test_training_sees_only_the_left_of_the_photographs_and_validation_only_the_right(monkeypatch):
    use_photographs(monkeypatch, left=(0, 0, 0), right=(0, 255, 0))
    splits = load_photo_digits(n_train=300, n_val=300)
    red, green, _ = splits.train.images.unbind(1)
    assert torch.equal(green, red)  # |0 − digit| everywhere: not one pixel of the right part
    red, green, _ = splits.val.images.unbind(1)
    assert torch.equal(green, 255 - red)  # |255 − digit| everywhere: not one pixel of the left part


def digits_in(split):
    """The distinct digits of images whose photographs are black, cut to their own borders."""
    digits = set()
    for image in split.images[:, 0].numpy():
        rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
        digits.add(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].tobytes())
    return digits


def test_no_digit_of_the_training_set_is_in_the_validation_set(monkeypatch):
    use_photographs(monkeypatch, left=0, right=0)
    splits = load_photo_digits()
    train, val = digits_in(splits.train), digits_in(splits.val)
    assert not train & val
    assert 1300 < len(train) <= 1437  # 4,000 draws out of 1,437 leave about one in sixteen out
    assert 300 < len(val) <= 360


def test_digits_keep_the_pictures_of_scikit_learn():
    from sklearn.datasets import load_digits as original

    splits = load_digits(size=8)  # not enlarged, so only the range of the values changes
    assert splits.train.images.shape == (1437, 1, 8, 8)
    assert splits.val.images.shape == (360, 1, 8, 8)
    pixels = torch.cat([splits.train.images, splits.val.images]).flatten(1).numpy()
    ours = np.ceil(pixels / 15.9375)  # 0..255 back to 0..16
    theirs = original().data
    assert sorted(ours.tolist()) == sorted(theirs.tolist())


def test_digits_are_enlarged_to_the_size_of_mnist():
    assert load_digits().train.images.shape == (1437, 1, 28, 28)


def test_changing_the_images_of_one_call_leaves_the_next_call_alone():
    first = load_digits(size=9)
    first.train.images.zero_()
    first.train.labels.zero_()
    again = load_digits(size=9)
    assert again.train.images.any()
    assert again.train.labels.any()


def test_load_dataset_finds_a_set_by_name():
    assert load_dataset("digits").name == "digits"


def test_load_dataset_names_the_sets_there_are():
    message = refusal(load_dataset, "imagenet")
    assert "imagenet" in message
    assert all(name in message for name in ("photo_digits", "digits", "cifar10", "mnist"))


def test_a_split_has_one_label_for_each_image():
    with pytest.raises(AssertionError, match="one label for each image"):
        Split(torch.zeros(3, 1, 2, 2), torch.zeros(2))


# ------------------------------------------------------------------------------------------------------ fingerprint


def test_the_fingerprint_is_the_sha256_of_kind_shape_and_bytes():
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert fingerprint(array) == hashlib.sha256(b"|u1(2, 3)" + bytes(range(6))).hexdigest()


@pytest.mark.parametrize(
    "changed",
    [
        np.array([0, 1, 2, 3, 4, 6], np.uint8),
        np.arange(6, dtype=np.uint8).reshape(2, 3),
        np.arange(6, dtype=np.int8),
        np.arange(5, dtype=np.uint8),
    ],
    ids=["one byte", "the shape", "the dtype", "the length"],
)
def test_the_fingerprint_changes_with(changed):
    assert fingerprint(changed) != fingerprint(np.arange(6, dtype=np.uint8))


def test_the_fingerprint_depends_on_the_order_of_the_arrays():
    a, b = np.zeros(3), np.ones(3)
    assert fingerprint(a, b) != fingerprint(b, a)


def test_the_fingerprint_does_not_depend_on_how_an_array_lies_in_memory():
    array = np.arange(6).reshape(2, 3)
    assert fingerprint(np.asfortranarray(array)) == fingerprint(array)


# ------------------------------------------------------------------------------------------------- the safe unpickler


def unpickle(content):
    return _ArrayUnpickler(io.BytesIO(content), encoding="latin1").load()


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
def test_the_unpickler_admits_arrays_and_plain_containers(protocol):
    content = {"data": np.arange(512, dtype=np.uint8).reshape(2, 256), "labels": [1, 2], "names": ("a", b"\xff", None)}
    batch = unpickle(pickle.dumps(content, protocol=protocol))
    assert np.array_equal(batch["data"], content["data"])
    assert batch["data"].dtype == np.uint8
    assert (batch["labels"], batch["names"]) == (content["labels"], content["names"])


def test_the_unpickler_reads_what_python_2_and_old_numpy_wrote():
    array = np.arange(4, dtype=np.uint8)
    old = pickle.dumps(array, protocol=0).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert b"numpy.core.multiarray" in old
    assert np.array_equal(unpickle(old), array)
    assert unpickle(b"U\x02\xff\x00.") == "\xff\x00"  # the bytes string of Python 2


class Calls:
    """Pickles as a call of the function with these arguments."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def trap(path):
    """Pickled calls that would make a file at `path`, by several ways."""
    code = f"open({str(path)!r}, 'w')"
    return [
        Calls(os.system, f"touch '{path}'"),
        Calls(eval, code),
        Calls(exec, code),
        Calls(open, str(path), "w"),
        Calls(np.save, str(path), 0),
    ]


@pytest.mark.parametrize("way", range(5), ids=["os.system", "eval", "exec", "open", "numpy.save"])
def test_the_unpickler_refuses_a_call_and_runs_nothing(way, tmp_path):
    path = tmp_path / "ran.npy"
    content = pickle.dumps({"data": trap(path)[way]}, protocol=2)
    with pytest.raises(pickle.UnpicklingError, match="not allowed in a data file"):
        unpickle(content)
    assert not path.exists()
    pickle.loads(content)  # the witness: an ordinary unpickler does run it
    assert path.exists()


@pytest.mark.parametrize(
    "thing", [OrderedDict(), Path(), torch.nn.ReLU, np.float64(1), np.float64, getattr], ids=lambda t: str(t)[:20]
)
def test_the_unpickler_refuses_every_other_name(thing):
    with pytest.raises(pickle.UnpicklingError, match="not allowed in a data file"):
        unpickle(pickle.dumps(thing, protocol=2))


def test_a_name_with_dots_reaches_nothing_through_numpy():
    content = b"\x80\x04\x8c\x05numpy\x8c\x13ndarray.__class__.x\x93."  # STACK_GLOBAL of "numpy", "ndarray.__class__.x"
    with pytest.raises(pickle.UnpicklingError, match="not allowed in a data file"):
        unpickle(content)


# ----------------------------------------------------------------------------------------------------------- CIFAR-10


@pytest.fixture(scope="module")
def fake_cifar():
    """A set of the right shape, nearly all zeros: image i of batch k has the label i % 10 and k, i in its first bytes."""
    with tempfile.TemporaryDirectory() as root:  # removed at once: it holds 150 MB
        folder = Path(root, "folder", "cifar-10-batches-py")
        folder.mkdir(parents=True)
        labels = [i % 10 for i in range(10_000)]
        for k, name in enumerate(BATCHES):
            images = np.zeros((10_000, 3072), np.uint8)
            images[:, 0], images[:, 1], images[:, 2] = k + 1, np.arange(10_000) // 100, np.arange(10_000) % 100
            (folder / name).write_bytes(pickle.dumps({"data": images, "labels": labels}, protocol=2))
        archive = Path(root, "archive", "cifar-10-python.tar.gz")
        archive.parent.mkdir()
        with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
            for name in reversed(BATCHES):  # the distributed archive has them in no order either
                tar.add(folder / name, f"cifar-10-batches-py/{name}")
        images = np.zeros((50_000, 3, 32, 32), np.uint8)
        number = np.arange(50_000)
        images[:, 0, 0, 0], images[:, 0, 0, 1], images[:, 0, 0, 2] = (
            number // 10_000 + 1,
            number % 10_000 // 100,
            number % 100,
        )
        yield SimpleNamespace(
            folder=folder.parent, archive=archive.parent, fingerprint=fingerprint(images, number % 10)
        )


@pytest.fixture
def cifar(fake_cifar, monkeypatch):
    """The fake set, accepted as the true one, without any way to the network."""
    monkeypatch.setattr("companion.data.cifar.CIFAR10_FINGERPRINT", fake_cifar.fingerprint)
    monkeypatch.setattr("companion.data.cifar.CIFAR10_URLS", ())
    return fake_cifar


@pytest.fixture
def cifar_folder(cifar, monkeypatch):
    """A copy of the fake folder (by links) in which files may be replaced."""
    root = Path(tempfile.mkdtemp(dir=cifar.folder.parent))
    folder = root / "cifar-10-batches-py"
    folder.mkdir()
    for name in BATCHES:
        os.link(cifar.folder / "cifar-10-batches-py" / name, folder / name)
    yield folder
    shutil.rmtree(root)


def replace(path, content):
    """Replace the file without touching what else is linked to it."""
    path.unlink()
    path.write_bytes(content)


def image_numbers(split):
    """Which of the 50,000 fake images these are."""
    batch, hundreds, ones = split.images[:, 0, 0, :3].long().unbind(1)
    return (batch - 1) * 10_000 + hundreds * 100 + ones


@pytest.fixture(scope="module")
def from_folder(fake_cifar):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("companion.data.cifar.CIFAR10_FINGERPRINT", fake_cifar.fingerprint)
        return load_cifar10(fake_cifar.folder)


def test_cifar10_is_split_into_40000_and_10000_without_overlap(from_folder):
    train, val = image_numbers(from_folder.train), image_numbers(from_folder.val)
    assert (len(train), len(val)) == (40_000, 10_000)
    assert torch.equal(torch.cat([train, val]).sort().values, torch.arange(50_000))


def test_each_image_of_cifar10_keeps_its_label(from_folder):
    for split in (from_folder.train, from_folder.val):
        assert torch.equal(split.labels, image_numbers(split) % 10)


def test_the_validation_images_of_cifar10_are_a_seeded_draw(from_folder):
    drawn = torch.randperm(50_000, generator=torch.Generator().manual_seed(0))[:10_000]
    assert torch.equal(image_numbers(from_folder.val), drawn.sort().values)


def test_cifar10_from_an_archive_equals_cifar10_from_a_folder(cifar, from_folder):
    from_archive = load_cifar10(cifar.archive)
    assert from_archive.fingerprint == from_folder.fingerprint == cifar.fingerprint
    assert "archive" in from_archive.source
    assert "folder" in from_folder.source
    for part in ("train", "val"):
        assert torch.equal(getattr(from_archive, part).images, getattr(from_folder, part).images)
        assert torch.equal(getattr(from_archive, part).labels, getattr(from_folder, part).labels)


def test_companion_data_names_the_folder_of_the_real_sets(cifar, monkeypatch):
    monkeypatch.setenv("COMPANION_DATA", str(cifar.folder))
    assert load_cifar10().fingerprint == cifar.fingerprint


def test_without_companion_data_a_cache_folder_is_used(monkeypatch, tmp_path):
    monkeypatch.delenv("COMPANION_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert files.data_folder() == tmp_path / "companion"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert files.data_folder() == Path.home() / ".cache" / "companion"


def test_a_missing_batch_is_named(cifar_folder):
    (cifar_folder / "data_batch_3").unlink()
    message = refusal(load_cifar10, cifar_folder.parent)
    assert "data_batch_3 is missing" in message
    assert "remove that folder and run `companion data cifar10`" in message


def batch_of(images=(10_000, 3072), dtype=np.uint8, labels=10_000):
    return pickle.dumps({"data": np.zeros(images, dtype), "labels": [0] * labels}, protocol=2)


DAMAGES = {
    "truncated": lambda: batch_of()[:1000],
    "empty": lambda: b"",
    "text": lambda: b"<html>404 not found</html>\n",
    "too few images": lambda: batch_of(images=(10, 3072)),
    "too few labels": lambda: batch_of(labels=9_999),
    "floats": lambda: batch_of(images=(1, 3072), dtype=float),
    "no dictionary": lambda: pickle.dumps([1, 2]),
    "no labels": lambda: pickle.dumps({"data": np.zeros((10_000, 3072), np.uint8)}, protocol=2),
    "a call": lambda: pickle.dumps(Calls(os.system, "true"), protocol=2),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_batch_is_named_with_what_to_do(damage, cifar_folder):
    replace(cifar_folder / "data_batch_1", DAMAGES[damage]())
    message = refusal(load_cifar10, cifar_folder.parent)
    assert "cifar-10-batches-py/data_batch_1 is damaged or not the right file" in message
    assert "remove the folder cifar-10-batches-py and run `companion data cifar10`" in message


def test_a_folder_with_other_content_is_refused_by_its_fingerprint(cifar_folder):
    replace(cifar_folder / "data_batch_5", batch_of())
    message = refusal(load_cifar10, cifar_folder.parent)
    assert "folder cifar-10-batches-py" in message
    assert "not the known cifar10 set" in message
    assert "`companion data cifar10`" in message


def archive_in(folder, content):
    (folder / "cifar-10-python.tar.gz").write_bytes(content)
    return folder


def tar_of(files, folder):
    """A .tar.gz of {name: content} below `folder`, as bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize("kept", [0.0, 0.00001, 0.1, 0.9, 0.9999])
def test_a_truncated_archive_is_named_with_what_to_do(kept, cifar, tmp_path):
    whole = (cifar.archive / "cifar-10-python.tar.gz").read_bytes()
    message = refusal(load_cifar10, archive_in(tmp_path, whole[: int(kept * len(whole))]))
    assert message.startswith("cifar-10-python.tar.gz")
    assert "delete cifar-10-python.tar.gz and run `companion data cifar10`" in message


def test_a_damaged_byte_inside_an_archive_is_noticed(cifar, tmp_path):
    content = bytearray((cifar.archive / "cifar-10-python.tar.gz").read_bytes())
    content[len(content) // 2] ^= 255
    message = refusal(load_cifar10, archive_in(tmp_path, content))
    assert "cifar-10-python.tar.gz" in message


@pytest.mark.parametrize(
    "content", [b"<html>404 not found</html>\n", gzip.compress(b"hello")], ids=["text", "gzip without a tar"]
)
def test_a_file_that_is_no_archive_is_named_with_what_to_do(content, cifar, tmp_path):
    message = refusal(load_cifar10, archive_in(tmp_path, content))
    assert message.startswith("cifar-10-python.tar.gz is damaged or not the right file")


def test_an_archive_without_a_batch_is_named_with_the_batch(cifar, tmp_path):
    batch = batch_of()
    content = tar_of({name: batch for name in BATCHES if name != "data_batch_4"}, "cifar-10-batches-py")
    message = refusal(load_cifar10, archive_in(tmp_path, content))
    assert message.startswith("cifar-10-python.tar.gz")
    assert "data_batch_4" in message


def test_a_damaged_batch_inside_an_archive_is_named(cifar, tmp_path):
    content = tar_of({"data_batch_1": b"hello"}, "cifar-10-batches-py")
    message = refusal(load_cifar10, archive_in(tmp_path, content))
    assert message.startswith("cifar-10-python.tar.gz: data_batch_1 is damaged")
    assert "delete cifar-10-python.tar.gz and run" in message


def test_a_directory_in_the_place_of_a_batch_is_named(cifar_folder):
    (cifar_folder / "data_batch_2").unlink()
    (cifar_folder / "data_batch_2").mkdir()
    assert "data_batch_2 cannot be read" in refusal(load_cifar10, cifar_folder.parent)


def test_cifar10_without_files_and_without_network_says_what_to_do(tmp_path, monkeypatch, closed_port):
    monkeypatch.setattr(
        "companion.data.cifar.CIFAR10_URLS", (f"http://127.0.0.1:{closed_port}/cifar-10-python.tar.gz",)
    )
    message = refusal(load_cifar10, tmp_path)
    assert "cifar-10-python.tar.gz could not be downloaded" in message
    assert list(tmp_path.iterdir()) == []


# -------------------------------------------------------------------------------------------------------------- MNIST


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


# ----------------------------------------------------------------------------------------------------------- download

CONTENT = bytes(range(256)) * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def serve():
    """serve(files, ranges=True, cuts=(), raw=None) starts a server on this machine and returns it.

    `cuts`: after how many bytes the first, the second, ... answer breaks off. `raw`: bytes sent instead of any answer.
    The server's `url` ends in a slash; `ranges_asked` holds the Range header of each request.
    """
    servers = []

    def start(files, ranges=True, cuts=(), raw=None):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked = self.headers.get("Range")
                self.server.ranges_asked.append(asked)
                if raw is not None:
                    self.wfile.write(raw)
                    return
                content = files.get(self.path.lstrip("/"))
                if content is None:
                    self.send_error(404)
                    return
                first = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and ranges else 0
                if first >= len(content) > 0:
                    self.send_error(416)
                    return
                self.send_response(206 if asked and ranges else 200)
                self.send_header("Content-Length", str(len(content) - first))
                self.end_headers()
                turn = len(self.server.ranges_asked) - 1
                end = first + cuts[turn] if turn < len(cuts) else len(content)
                self.wfile.write(content[first:end])

            def log_message(self, *arguments):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.ranges_asked = []
        server.url = f"http://127.0.0.1:{server.server_port}/"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def closed_port():
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_download_arrives_whole_in_a_new_folder(serve, tmp_path):
    server, target = serve({"set.bin": CONTENT}), tmp_path / "a" / "b" / "set.bin"
    files.download([server.url + "set.bin"], target, SHA256)
    assert target.read_bytes() == CONTENT
    assert os.listdir(target.parent) == ["set.bin"]


def test_a_broken_download_is_resumed_where_it_stopped(serve, tmp_path):
    server = serve({"set.bin": CONTENT}, cuts=[4000])
    files.download([server.url + "set.bin"], tmp_path / "set.bin", SHA256)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    assert server.ranges_asked == [None, "bytes=4000-"]


def test_a_download_is_resumed_by_the_next_call(serve, tmp_path):
    server = serve({"set.bin": CONTENT}, cuts=[4000, 1000])
    urls = [server.url + "set.bin"]
    assert "only 1000 of 6240 bytes arrived" in refusal(files.download, urls, tmp_path / "set.bin", SHA256)
    assert not (tmp_path / "set.bin").exists()
    files.download(urls, tmp_path / "set.bin", SHA256)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    assert server.ranges_asked == [None, "bytes=4000-", "bytes=5000-"]


def test_a_server_that_cannot_resume_sends_the_whole_file_again(serve, tmp_path):
    server = serve({"set.bin": CONTENT}, cuts=[4000], ranges=False)
    files.download([server.url + "set.bin"], tmp_path / "set.bin", SHA256)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    assert server.ranges_asked == [None, "bytes=4000-"]


def test_a_part_that_is_already_whole_or_too_long_is_no_obstacle(serve, tmp_path):
    for number, part in enumerate((CONTENT, CONTENT + b"more")):
        server, target = serve({"set.bin": CONTENT}), tmp_path / f"{number}.bin"
        Path(f"{target}.part").write_bytes(part)
        files.download([server.url + "set.bin"], target, SHA256)
        assert target.read_bytes() == CONTENT


def test_a_part_of_another_file_is_thrown_away(serve, tmp_path):
    server = serve({"set.bin": CONTENT})
    (tmp_path / "set.bin.part").write_bytes(b"something else")
    files.download([server.url + "set.bin"], tmp_path / "set.bin", SHA256)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT


def test_the_wrong_content_is_refused_and_nothing_is_left(serve, tmp_path):
    server = serve({"set.bin": b"another file"})
    message = refusal(files.download, [server.url + "set.bin"], tmp_path / "set.bin", SHA256)
    assert "set.bin could not be downloaded (what came is not the expected file)" in message
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_stays_when_its_replacement_is_wrong(serve, tmp_path):
    (tmp_path / "set.bin").write_bytes(b"old")
    server = serve({"set.bin": b"another file"})
    refusal(files.download, [server.url + "set.bin"], tmp_path / "set.bin", SHA256)
    assert (tmp_path / "set.bin").read_bytes() == b"old"


def test_the_second_address_serves_when_the_first_does_not(serve, tmp_path, closed_port):
    missing, wrong, good = serve({}), serve({"set.bin": b"wrong"}), serve({"set.bin": CONTENT})
    urls = [f"http://127.0.0.1:{closed_port}/set.bin", *(s.url + "set.bin" for s in (missing, wrong, good))]
    files.download(urls, tmp_path / "set.bin", SHA256)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "answer",
    [b"", b"this is not HTTP\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf a chunk"],
    ids=["nothing", "nonsense", "half a chunk"],
)
def test_a_server_that_speaks_nonsense_is_a_failed_download(answer, serve, tmp_path):
    server = serve({}, raw=answer)
    message = refusal(files.download, [server.url + "set.bin"], tmp_path / "set.bin", SHA256)
    assert "set.bin could not be downloaded" in message
    assert not (tmp_path / "set.bin").exists()


def test_without_network_the_message_says_what_to_do(tmp_path, closed_port):
    url = f"http://127.0.0.1:{closed_port}/set.bin"
    message = refusal(files.download, [url], tmp_path / "set.bin", SHA256)
    assert "set.bin could not be downloaded" in message
    assert "check the network" in message
    assert f"put the file into {tmp_path} by hand from {url}" in message
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    message = refusal(files.download, ["http://127.0.0.1/set.bin"], tmp_path / "file" / "set.bin", SHA256)
    assert str(tmp_path / "file") in message
    assert "set COMPANION_DATA" in message


def test_a_file_that_cannot_be_written_is_not_blamed_on_the_network(serve, tmp_path):
    server = serve({"set.bin": CONTENT})
    (tmp_path / "set.bin.part").mkdir()  # stands for a full disk or a missing permission
    message = refusal(files.download, [server.url + "set.bin"], tmp_path / "set.bin", SHA256)
    assert "cannot be written" in message
    assert "set COMPANION_DATA" in message
    assert "network" not in message


def test_a_folder_without_write_permission_is_named(serve, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write everywhere")
    server = serve({"set.bin": CONTENT})
    message = refusal(files.download, [server.url + "set.bin"], folder / "set.bin", SHA256)
    assert "cannot be written" in message
    assert str(folder) in message


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


# ---------------------------------------------------------------------------------------------------------- real data


def real_folder(*below):
    """The folder of a real data set, or a skip with the reason."""
    root = os.environ.get("COMPANION_DATA")
    if not root:
        pytest.skip("COMPANION_DATA is not set, so there are no real data to test")
    if not Path(root, *below).exists():
        pytest.skip(f"COMPANION_DATA holds no {'/'.join(map(str, below))}")
    return Path(root)


@pytest.fixture(scope="module")
def real_cifar():
    return load_cifar10(real_folder("cifar-10-batches-py"))


@pytest.mark.realdata
def test_cifar10_has_the_published_mean_and_spread(real_cifar):
    sums, squares = torch.zeros(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    for split in (real_cifar.train, real_cifar.val):
        for images in split.images.split(5000):
            x = images.double() / 255
            sums += x.sum((0, 2, 3))
            squares += x.square().sum((0, 2, 3))
    mean = sums / (50_000 * 1024)
    std = (squares / (50_000 * 1024) - mean**2).sqrt()
    assert mean.tolist() == pytest.approx([0.49139968, 0.48215841, 0.44653091], abs=1e-8)
    assert std.tolist() == pytest.approx([0.24703223, 0.24348513, 0.26158784], abs=1e-8)


@pytest.mark.realdata
def test_cifar10_has_5000_images_of_each_class(real_cifar):
    labels = torch.cat([real_cifar.train.labels, real_cifar.val.labels])
    assert labels.bincount().tolist() == [5000] * 10
    assert (len(real_cifar.train), len(real_cifar.val)) == (40_000, 10_000)


@pytest.mark.realdata
def test_the_validation_images_of_cifar10_follow_the_training_images_class_by_class(real_cifar):
    counts = real_cifar.val.labels.bincount(minlength=10)
    assert (counts - 1000).abs().max() < 120  # four standard deviations of a draw of 10,000 out of 50,000


@pytest.mark.realdata
def test_cifar10_has_the_known_fingerprint_before_it_is_split():
    folder = real_folder("cifar-10-batches-py") / "cifar-10-batches-py"
    batches = [pickle.loads((folder / name).read_bytes(), encoding="latin1") for name in BATCHES]
    images = np.concatenate([batch["data"] for batch in batches]).reshape(-1, 3, 32, 32)
    labels = np.concatenate([batch["labels"] for batch in batches])
    assert fingerprint(images, labels) == CIFAR10_FINGERPRINT


@pytest.mark.realdata
@pytest.mark.slow
def test_an_archive_made_of_the_restored_folder_is_the_same_set(real_cifar):
    folder = real_folder("cifar-10-batches-py") / "cifar-10-batches-py"
    with tempfile.TemporaryDirectory() as root:
        with tarfile.open(Path(root, "cifar-10-python.tar.gz"), "w:gz", compresslevel=1) as tar:
            tar.add(folder, folder.name)
        splits = load_cifar10(root)
    assert splits.fingerprint == real_cifar.fingerprint
    assert torch.equal(splits.val.images, real_cifar.val.images)
    assert "archive" in splits.source


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


def test_the_embedded_sets_are_the_known_ones_to_the_last_pixel():
    """With the pinned Pillow and scikit-learn; the outputs of the committed notebooks rest on these bytes."""
    assert digits.load_photo_digits().fingerprint.startswith("d136cd50b2c68dc8beb391b1506f9083")
    assert digits.load_digits().fingerprint.startswith("7af62b5480c69e6966eae6fdfa9237ba")
