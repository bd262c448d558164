"""CIFAR-100: the reader, on a made-up set of a few images, and the download from a server on this machine."""

import hashlib
import os
import pickle

import numpy as np
import pytest
import torch
from data_files import refusal, tar_of

from companion.data import cifar100
from companion.data.cifar100 import load_cifar100


class Calls:
    """Pickles as a call of the function with these arguments."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


COUNT = 200  # images, two of each class
FINE = [i % 100 for i in range(COUNT)]
COARSE = [label // 5 for label in FINE]


def train(**changed):
    images = np.zeros((COUNT, 3072), np.uint8)
    images[:, 0] = np.arange(COUNT)
    content = {"data": images, "fine_labels": FINE, "coarse_labels": COARSE, "filenames": ["x"] * COUNT}
    content |= changed
    return pickle.dumps({name: value for name, value in content.items() if value is not None}, protocol=2)


def meta(**changed):
    content = {
        "fine_label_names": [f"fine{k}" for k in range(100)],
        "coarse_label_names": [f"coarse{k}" for k in range(20)],
    }
    content |= changed
    return pickle.dumps({name: value for name, value in content.items() if value is not None}, protocol=2)


@pytest.fixture
def known(monkeypatch):
    """known(files) accepts these files, and an archive of them, as the true ones; returns the archive's bytes."""

    def known(train, meta):
        archive = tar_of({"train": train, "meta": meta, "test": b"not read"}, "cifar-100-python")
        files = {cifar100.CIFAR100_ARCHIVE: archive, "train": train, "meta": meta}
        sums = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
        monkeypatch.setattr(cifar100, "CIFAR100_MD5", sums)
        monkeypatch.setattr(cifar100, "CIFAR100_URLS", ())
        return archive

    return known


@pytest.fixture
def written(tmp_path):
    """written(train, meta) → the root of a folder cifar-100-python with these files."""

    def written(train, meta):
        folder = tmp_path / "cifar-100-python"
        folder.mkdir(exist_ok=True)
        (folder / "train").write_bytes(train)
        (folder / "meta").write_bytes(meta)
        return tmp_path

    return written


def test_the_set_is_split_by_a_seeded_draw_and_keeps_its_labels(known, written):
    known(train(), meta())
    splits = load_cifar100(written(train(), meta()))
    drawn = torch.randperm(COUNT, generator=torch.Generator().manual_seed(0))[: COUNT // 5].sort().values
    assert torch.equal(splits.val.images[:, 0, 0, 0].long(), drawn)
    for part in (splits.train, splits.val):
        assert torch.equal(part.labels, part.images[:, 0, 0, 0].long() % 100)
    assert (len(splits.train), len(splits.classes), splits.classes[7]) == (COUNT * 4 // 5, 100, "fine7")
    assert splits.superclass_of == tuple(k // 5 for k in range(100)) and splits.superclasses[3] == "coarse3"
    assert "compared with nothing" in splits.source


def test_the_superclasses_can_be_the_classes(known, written):
    known(train(), meta())
    splits = load_cifar100(written(train(), meta()), labels="coarse")
    assert len(splits.classes) == 20
    assert torch.equal(splits.val.labels, splits.val.images[:, 0, 0, 0].long() % 100 // 5)
    assert "coarse" in refusal(load_cifar100, written(train(), meta()), 0, "middle")


def test_an_archive_gives_what_a_folder_gives_and_is_fetched_when_nothing_is_there(
    known, written, tmp_path, serve, monkeypatch
):
    archive = known(train(), meta())
    folder = load_cifar100(written(train(), meta()))
    root = tmp_path / "fresh"
    root.mkdir()
    server = serve({cifar100.CIFAR100_ARCHIVE: archive})
    monkeypatch.setattr(cifar100, "CIFAR100_URLS", (server.url + cifar100.CIFAR100_ARCHIVE,))
    fetched = load_cifar100(root)
    assert fetched.fingerprint == folder.fingerprint and "archive" in fetched.source
    assert torch.equal(fetched.train.images, folder.train.images)
    monkeypatch.setattr(cifar100, "CIFAR100_URLS", ())
    assert load_cifar100(root).fingerprint == folder.fingerprint  # kept, and read again without a network


def test_a_download_of_another_file_is_refused_and_nothing_is_kept(known, tmp_path, serve, monkeypatch):
    known(train(), meta())
    other = tar_of({"train": train(filenames=["y"] * COUNT), "meta": meta()}, "cifar-100-python")
    server = serve({cifar100.CIFAR100_ARCHIVE: other})
    monkeypatch.setattr(cifar100, "CIFAR100_URLS", (server.url + cifar100.CIFAR100_ARCHIVE,))
    assert "cifar-100-python.tar.gz" in refusal(load_cifar100, tmp_path)
    assert not (tmp_path / cifar100.CIFAR100_ARCHIVE).exists()


def test_cifar10_under_this_name_is_told_apart(known, written, tmp_path):
    known(train(), meta())
    root = written(train(), meta())
    (root / "cifar-100-python" / "data_batch_1").write_bytes(b"x")
    assert "holds CIFAR-10 (data_batch_1 is in it) under the name of CIFAR-100" in refusal(load_cifar100, root)
    other = tmp_path / "archive"
    other.mkdir()
    (other / cifar100.CIFAR100_ARCHIVE).write_bytes(tar_of({"data_batch_1": b"x"}, "cifar-10-batches-py"))
    assert "rename it to cifar-10-python.tar.gz" in refusal(load_cifar100, other)


WRONG = {
    "no fine labels": ({"fine_labels": None}, {}, "it holds no fine_labels"),
    "no coarse labels": ({"coarse_labels": None}, {}, "it holds no coarse_labels"),
    "labels as CIFAR-10's": ({"fine_labels": None, "labels": FINE}, {}, "it has labels, as CIFAR-10's batches have"),
    "a label of 100": (
        {"fine_labels": [100, *FINE[1:]]},
        {},
        "a fine label is 100, but the 100 classes are numbered from 0 to 99",
    ),
    "a label below 0": ({"fine_labels": [-1, *FINE[1:]]}, {}, "a fine label is -1"),
    "a superclass of 20": ({"coarse_labels": [20, *COARSE[1:]]}, {}, "a coarse label is 20"),
    "too few labels": ({"fine_labels": FINE[1:]}, {}, "there are 200 images"),
    "labels in words": ({"fine_labels": ["cat"] * COUNT}, {}, "its fine_labels are"),
    "two superclasses": ({"coarse_labels": [1, *COARSE[1:]]}, {}, "the class 0 lies in more than one superclass"),
    "a class without image": (
        {"fine_labels": [1 if k == 0 else k for k in FINE], "coarse_labels": [0 if k == 0 else k // 5 for k in FINE]},
        {},
        "the class 0, fine0, has no image",
    ),
    "floats": ({"data": np.zeros((COUNT, 3072))}, {}, "not bytes"),
    "no names": ({}, {"fine_label_names": None}, "it holds no fine_label_names"),
    "a call": ({"data": Calls(os.system, "true")}, {}, "not allowed in a data file"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_damaged_file_is_named_with_what_is_wrong(name, known, written):
    train_changed, meta_changed, said = WRONG[name]
    files = train(**train_changed), meta(**meta_changed)
    known(*files)
    message = refusal(load_cifar100, written(*files))
    assert said in message and "cifar-100-python" in message


def test_files_with_other_bytes_are_refused_by_their_md5(known, written):
    known(train(), meta())
    message = refusal(load_cifar100, written(train(filenames=["y"] * COUNT), meta()))
    assert "train can be read, but it is not the known cifar100 set" in message


def test_the_true_md5_are_those_that_torchvision_names():
    from torchvision.datasets import CIFAR100

    known = {
        CIFAR100.filename: CIFAR100.tgz_md5,
        **dict(CIFAR100.train_list),
        CIFAR100.meta["filename"]: CIFAR100.meta["md5"],
    }
    assert known == cifar100.CIFAR100_MD5 and CIFAR100.url in cifar100.CIFAR100_URLS


def test_no_network_and_no_file_say_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar100, "CIFAR100_URLS", ("http://127.0.0.1:9/cifar-100-python.tar.gz",))
    assert "could not be downloaded" in refusal(load_cifar100, tmp_path)
    assert list(tmp_path.iterdir()) == []
