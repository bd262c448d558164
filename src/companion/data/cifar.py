"""CIFAR-10, read without running any code that its files may hold."""

import io
import pickle

import numpy as np
import torch

from companion.data.files import (
    damaged_file,
    data_folder,
    download,
    is_file,
    is_folder,
    members,
    read_file,
    verify_fingerprint,
)
from companion.data.splits import Splits, as_split, check_split, fingerprint

CIFAR10_URLS = (
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/cifar-10-python.tar.gz",
)
CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR10_FINGERPRINT = "236658291b13ae8a2ffca05c6e10c548113d2b36fa873858b0c4d39b5f693e1a"  # 50,000 images, labels
CIFAR10_ARCHIVE_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"


def load_cifar10(root=None, split=0):
    """CIFAR-10's training set as 40,000 for training and 10,000 for validation; its test set is not used.

    `split`, a whole number from 0 on, is the seed of the permutation that says which: the validation images are the first
    10,000 of `torch.randperm(50000)`. Split 0 is the book's own.

    Reads `cifar-10-batches-py/` or `cifar-10-python.tar.gz` below `root`; downloads the archive when neither is there.
    Both hold the same training arrays and have the same fingerprint. Raises `DataError`.
    """
    check_split(split)
    root = data_folder(root)
    folder, archive = root / "cifar-10-batches-py", root / "cifar-10-python.tar.gz"
    names = [f"data_batch_{k}" for k in range(1, 6)]
    if is_folder(folder):
        source, remedy = "folder cifar-10-batches-py", f"remove the folder {folder.name}"
        batches = [_cifar_batch(read_file(folder / n, "cifar10"), f"{folder.name}/{n}", remedy) for n in names]
    else:
        if not is_file(archive):
            download(CIFAR10_URLS, archive, CIFAR10_ARCHIVE_SHA256)
        source = "archive cifar-10-python.tar.gz"
        batches = _cifar_archive(archive, names)
    images = np.concatenate([images for images, _ in batches])
    labels = np.concatenate([labels for _, labels in batches])
    verify_fingerprint(CIFAR10_FINGERPRINT, fingerprint(images, labels), source, "cifar10")
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(split)).numpy()
    train, val = np.sort(order[10_000:]), np.sort(order[:10_000])
    return Splits(
        train=as_split(images[train], labels[train]),
        val=as_split(images[val], labels[val]),
        classes=CIFAR10_CLASSES,
        name="CIFAR-10",
        fingerprint=CIFAR10_FINGERPRINT,
        source=source,
    )


class _ArrayUnpickler(pickle.Unpickler):
    """Admits plain containers and NumPy arrays and nothing else, so that a data file cannot run code."""

    def find_class(self, module, name):
        module = module.replace("numpy._core", "numpy.core")
        if (module, name) == ("numpy.core.multiarray", "_reconstruct"):
            return np._core.multiarray._reconstruct
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        if (module, name) == ("_codecs", "encode"):  # how Python 3 pickles bytes in old protocols
            return lambda text, encoding: text.encode("latin1")
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed in a data file")


def _cifar_archive(archive, names):
    """The batches of these names in the archive, which is read once from front to back."""
    batches, remedy = {}, f"delete {archive.name}"
    for name, content in members(archive, "cifar10", lambda path: path.name if path.name in names else None):
        batches[name] = _cifar_batch(content, f"{archive.name}: {name}", remedy)
    for name in names:
        if name not in batches:
            raise damaged_file(archive.name, "cifar10", f"{name} is not in it")
    return [batches[name] for name in names]


def _cifar_batch(content, name, remedy):
    """Images (10000, 3, 32, 32) and labels (10000,) of one pickled batch."""
    try:
        batch = _ArrayUnpickler(io.BytesIO(content), encoding="latin1").load()
        images, labels = batch["data"], np.asarray(batch["labels"])
        if images.dtype != np.uint8 or images.shape != (10_000, 3072) or labels.shape != (10_000,):
            raise ValueError("the arrays have the wrong shape")
    except Exception as error:  # a damaged pickle raises nearly anything
        raise damaged_file(name, "cifar10", error, remedy) from error
    return images.reshape(-1, 3, 32, 32), labels.astype(np.int64)
