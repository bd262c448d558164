"""CIFAR-100, read without running any code that its files may hold: 100 classes of pictures in 20 superclasses."""

import hashlib
import io
from dataclasses import KW_ONLY, dataclass
from itertools import pairwise

import numpy as np
import torch

from companion.data.cifar import _ArrayUnpickler
from companion.data.files import (
    DataError,
    damaged_file,
    data_folder,
    download_and_read,
    is_file,
    is_folder,
    listed,
    members,
    read_file,
)
from companion.data.splits import Splits, as_split, check_split, fingerprint

CIFAR100_URLS = ("https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",)
CIFAR100_FOLDER, CIFAR100_ARCHIVE = "cifar-100-python", "cifar-100-python.tar.gz"
CIFAR100_MD5 = {  # as torchvision's CIFAR100 names them
    CIFAR100_ARCHIVE: "eb9058c3a382ffc7106e4002c42a8d85",
    "train": "16019d7e3df5f24257cddd939b257f8d",
    "meta": "7973b15100ade9c7d40fb424638fde48",
}
CIFAR10_MEMBER = "data_batch_1"  # what tells CIFAR-10's archive, in Python's form, from this one


@dataclass(frozen=True)
class SuperclassSplits(Splits):
    """Splits whose classes lie in superclasses: `superclass_of` has the number of its superclass for each class."""

    _: KW_ONLY
    superclasses: tuple = ()
    superclass_of: tuple = ()


def load_cifar100(root=None, split=0, labels="fine"):
    """CIFAR-100's training set as 40,000 images for training and 10,000 for validation; its test set is not used.

    Images are bytes (N, 3, 32, 32). `labels` are the 100 classes, "fine", or the 20 superclasses, "coarse". `split`, a whole number
    from 0 on, is the seed of the permutation that says which fifth is for validation, as in `load_cifar10`. Returns
    `SuperclassSplits`: the superclass of each class is read from the data, too.

    Reads `cifar-100-python/` or `cifar-100-python.tar.gz` below `root`; downloads the archive when neither is there. Nothing that a
    file asks for is run. What is accepted are the files whose MD5 is that which torchvision's CIFAR100 names. **The decoded arrays have
    never been verified here**: whoever wrote this had no copy, so the fingerprint, the SHA-256 of images, fine and coarse labels, is
    computed and told in `source`, and compared with nothing. Raises `DataError`.
    """
    check_split(split)
    if labels not in ("fine", "coarse"):
        raise DataError(
            f'The labels of CIFAR-100 are "fine", 100 classes, or "coarse", 20 superclasses, not {labels!r}.'
        )
    root = data_folder(root)
    folder, archive = root / CIFAR100_FOLDER, root / CIFAR100_ARCHIVE
    if is_folder(folder):
        source, content = f"folder {CIFAR100_FOLDER}", _of_folder(folder)
    else:
        there = is_file(archive)
        source = f"archive {CIFAR100_ARCHIVE}"
        content = (
            _of_archive(archive) if there else download_and_read(CIFAR100_URLS, archive, lambda: _of_archive(archive))
        )
    images, fine, coarse, names, superclasses, superclass_of = content
    known = fingerprint(images, fine, coarse)
    order = torch.randperm(len(fine), generator=torch.Generator().manual_seed(split)).numpy()
    fifth = len(fine) // 5
    train, val = np.sort(order[fifth:]), np.sort(order[:fifth])
    targets = fine if labels == "fine" else coarse
    return SuperclassSplits(
        train=as_split(images[train], targets[train]),
        val=as_split(images[val], targets[val]),
        classes=names if labels == "fine" else superclasses,
        name="CIFAR-100",
        fingerprint=known,
        source=f"{source}, known by its MD5; fingerprint {known[:12]}…, compared with nothing",
        superclasses=superclasses,
        superclass_of=superclass_of if labels == "fine" else tuple(range(len(superclasses))),
    )


def _of_folder(folder):
    remedy = f"remove the folder {folder.name}"
    if CIFAR10_MEMBER in listed(folder):
        raise _is_cifar10(f"The folder {folder.name}", "rename it to cifar-10-batches-py")
    files = {name: read_file(folder / name, "cifar100") for name in ("train", "meta")}
    content = _decoded(files, f"{folder.name}/", remedy)
    for name, file in files.items():
        _check_md5(f"{folder.name}/{name}", file, CIFAR100_MD5[name], remedy)
    return content


def _of_archive(archive):
    remedy = f"delete {archive.name}"
    wanted = ("train", "meta", CIFAR10_MEMBER)
    files = dict(members(archive, "cifar100", lambda path: path.name if path.name in wanted else None))
    if CIFAR10_MEMBER in files:
        raise _is_cifar10(archive.name, "rename it to cifar-10-python.tar.gz")
    for name in ("train", "meta"):
        if name not in files:
            raise damaged_file(archive.name, "cifar100", f"{name} is not in it")
    content = _decoded(files, f"{archive.name}: ", remedy)
    _check_md5(archive.name, read_file(archive, "cifar100"), CIFAR100_MD5[CIFAR100_ARCHIVE], remedy)
    return content


def _is_cifar10(what, remedy):
    return DataError(
        f"{what} holds CIFAR-10 ({CIFAR10_MEMBER} is in it) under the name of CIFAR-100: {remedy}, and run "
        "`companion data cifar100` to fetch the other set."
    )


def _check_md5(name, content, expected, remedy):
    """Raise DataError unless the bytes are the known ones."""
    actual = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if actual != expected:
        raise DataError(
            f"{name} can be read, but it is not the known cifar100 set (MD5 {actual[:12]}…, expected {expected[:12]}…): {remedy} "
            "and run `companion data cifar100` to fetch it again."
        )


def _decoded(files, before, remedy):
    """Images, fine and coarse labels, the names of both kinds of classes, and the superclass of each class."""
    train = _unpickled(files["train"], f"{before}train", remedy)
    meta = _unpickled(files["meta"], f"{before}meta", remedy)

    def entry(of, file, name):
        if name not in of:
            more = "; it has labels, as CIFAR-10's batches have" if "labels" in of else ""
            raise damaged_file(f"{before}{file}", "cifar100", f"it holds no {name}{more}", remedy)
        return of[name]

    names, superclasses = (tuple(map(str, entry(meta, "meta", f"{kind}_label_names"))) for kind in ("fine", "coarse"))
    images = entry(train, "train", "data")
    dtype, shape = getattr(images, "dtype", None), getattr(images, "shape", ())
    if dtype != np.uint8 or len(shape) != 2 or shape[1] != 3072:
        wrong = f"its images are {dtype} {shape}, not bytes (N, 3072)"
        raise damaged_file(f"{before}train", "cifar100", wrong, remedy)
    fine, coarse = (
        _labels(entry(train, "train", f"{kind}_labels"), kind, len(images), len(of), f"{before}train", remedy)
        for kind, of in (("fine", names), ("coarse", superclasses))
    )
    pairs = sorted(set(zip(fine.tolist(), coarse.tolist(), strict=True)))
    superclass_of = dict(pairs)
    if len(superclass_of) < len(pairs):
        number = next(a for (a, _), (b, _) in pairwise(pairs) if a == b)
        wrong = f"the class {number} lies in more than one superclass"
        raise damaged_file(f"{before}train", "cifar100", wrong, remedy)
    if missing := sorted(set(range(len(names))) - set(superclass_of)):
        wrong = f"the class {missing[0]}, {names[missing[0]]}, has no image"
        raise damaged_file(f"{before}train", "cifar100", wrong, remedy)
    ordered = tuple(superclass_of[number] for number in range(len(names)))
    return images.reshape(-1, 3, 32, 32), fine, coarse, names, superclasses, ordered


def _unpickled(content, name, remedy):
    try:
        found = _ArrayUnpickler(io.BytesIO(content), encoding="latin1").load()
    except Exception as error:  # a damaged pickle raises nearly anything
        raise damaged_file(name, "cifar100", error, remedy) from error
    if not isinstance(found, dict):
        raise damaged_file(name, "cifar100", f"it holds a {type(found).__name__} and no dictionary", remedy)
    return found


def _labels(values, kind, count, classes, name, remedy):
    """The labels as whole numbers (count,), each that of a class."""
    labels = np.asarray(values)
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        wrong = f"there are {count} images, and its {kind}_labels are {labels.dtype} {labels.shape}"
        raise damaged_file(name, "cifar100", wrong, remedy)
    bad = labels[(labels < 0) | (labels >= classes)]
    if len(bad):
        wrong = f"a {kind} label is {bad[0]}, but the {classes} classes are numbered from 0 to {classes - 1}"
        raise damaged_file(name, "cifar100", wrong, remedy)
    return labels.astype(np.int64)
