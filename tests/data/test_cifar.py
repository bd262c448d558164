"""CIFAR-10: the unpickler that runs no code, and the reader, on a made-up set of the right shape."""

import gzip
import io
import os
import pickle
import shutil
import tarfile
import tempfile
from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from data_files import (
    real_folder,
    refusal,
    tar_of,
)

from companion.data.cifar import CIFAR10_FINGERPRINT, _ArrayUnpickler, load_cifar10
from companion.data.splits import fingerprint

BATCHES = [f"data_batch_{k}" for k in range(1, 6)]


# --------------------------------------------------------------------------------------------------- the safe unpickler


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


# -------------------------------------------------------------------------------------------------------------- the set


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


def test_another_split_of_cifar10_is_another_seeded_draw(fake_cifar, monkeypatch):
    monkeypatch.setattr("companion.data.cifar.CIFAR10_FINGERPRINT", fake_cifar.fingerprint)
    other = load_cifar10(fake_cifar.folder, split=3)
    drawn = torch.randperm(50_000, generator=torch.Generator().manual_seed(3))[:10_000]
    assert torch.equal(image_numbers(other.val), drawn.sort().values)
    assert torch.equal(other.val.labels, image_numbers(other.val) % 10)


@pytest.mark.parametrize("split", [-1, 1.0, True, "0", 2**32])
def test_a_split_that_is_no_seed_is_refused(split, fake_cifar):
    assert repr(split) in refusal(load_cifar10, fake_cifar.folder, split)


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


# ------------------------------------------------------------------------------------------------------------ real data


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
