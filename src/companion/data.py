"""Every data set of the book as named splits of tensors: embedded ones, made in a second, real ones, read from disk.

Real sets lie in the folder named by the environment variable COMPANION_DATA, or else in a cache folder of the user's.
What is missing is downloaded once. Every real set is verified by its content: the SHA-256 of the decoded training arrays.
"""

import gzip
import hashlib
import http.client
import io
import os
import pickle
import struct
import tarfile
import urllib.request
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from numbers import Integral
from pathlib import Path

import numpy as np
import torch


class DataError(RuntimeError):
    """A data set that is missing, damaged or cannot be fetched; the message says what to do."""


@dataclass(frozen=True)
class Split:
    """Images (N, C, H, W) as bytes 0..255, and their labels (N,) as integers from 0.

    For sequences, `images` holds tokens (N, T) or frames (N, T, F), also called `inputs`.
    """

    images: torch.Tensor
    labels: torch.Tensor

    def __post_init__(self):
        assert len(self.images) == len(self.labels), "one label for each image"

    def __len__(self):
        return len(self.labels)

    @property
    def inputs(self):
        return self.images


@dataclass(frozen=True)
class Splits:
    """A data set in its parts. `fingerprint` is the SHA-256 of its decoded arrays, `source` the packaging it came in.

    `vocabulary` says what each token means, where the inputs are tokens.
    """

    train: Split
    val: Split
    test: Split | None
    classes: tuple
    name: str
    fingerprint: str
    source: str
    vocabulary: tuple = ()


def fingerprint(*arrays):
    """SHA-256 over shapes and bytes of the arrays, in order, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for array in arrays:
        array = np.ascontiguousarray(array)
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array)
    return digest.hexdigest()


def _split(images, labels):
    """The arrays as tensors of their own, so that writing to them changes nothing else."""
    images, labels = np.array(images, order="C"), np.array(labels, dtype=np.int64)
    return Split(torch.from_numpy(images), torch.from_numpy(labels))


LOADERS = {  # name of the data set: module and function
    "photo_digits": ("data", "load_photo_digits"),
    "digits": ("data", "load_digits"),
    "digit_rows": ("sequences", "load_digit_rows"),
    "tones": ("sequences", "load_tones"),
    "cifar10": ("data", "load_cifar10"),
    "mnist": ("data", "load_mnist"),
    "spoken_digits": ("sequences", "load_spoken_digits"),
    "names": ("sequences", "load_names"),
    "imdb": ("sequences", "load_imdb"),
    "tree_rings": ("faces", "load_tree_rings"),
    "faces": ("faces", "load_faces"),
}
EMBEDDED = (
    "photo_digits",
    "digits",
    "digit_rows",
    "tones",
    "tree_rings",
)  # made on the spot; the others are real sets on the disk


def load_dataset(name, **options):
    """The data set of that name (a key of `LOADERS`) as `Splits`; options go to its own function."""
    if name not in LOADERS:
        raise DataError(f"There is no data set named {name!r}; choose one of {', '.join(LOADERS)}.")
    module, function = LOADERS[name]
    return getattr(import_module(f"companion.{module}"), function)(**options)


# ---------------------------------------------------------------------------------------------------- embedded sets


@cache
def sklearn_digits(size):
    """scikit-learn's 1,797 digits, enlarged to size×size bytes, split 4 to 1 by a fixed permutation."""
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    small = (digits.images * 15.9375).astype(np.uint8)  # 0..16 becomes 0..255
    large = [np.asarray(Image.fromarray(d).resize((size, size), Image.Resampling.BILINEAR)) for d in small]
    order = np.random.RandomState(0).permutation(len(small))  # RandomState's stream is frozen by NumPy
    large, labels, cut = np.stack(large)[order], digits.target[order], 1437
    return (large[:cut], labels[:cut]), (large[cut:], labels[cut:])


def load_digits(size=28):
    """scikit-learn's handwritten digits, enlarged from 8×8 to size×size: 1,437 for training, 360 for validation."""
    (train, train_labels), (val, val_labels) = sklearn_digits(size)
    return Splits(
        train=_split(train[:, None], train_labels),
        val=_split(val[:, None], val_labels),
        test=None,
        classes=tuple("0123456789"),
        name="digits",
        fingerprint=fingerprint(train, train_labels, val, val_labels),
        source="made from scikit-learn's load_digits",
    )


def load_photo_digits(seed=0, n_train=4000, n_val=1000):
    """Handwritten digits drawn over crops of photographs, 32×32 RGB, ten classes: the book's stand-in for CIFAR-10.

    Each image is |photograph − digit|, as MNIST-M does it. Behind all of them are at most 1,437 (train) and 360 (val) distinct
    digits and two photographs, of which training sees the left three quarters and validation the right quarter.
    """
    from sklearn.datasets import load_sample_images

    photos = load_sample_images().images
    rng = np.random.RandomState(seed)
    parts = []
    for (digits, labels), count, (left, right) in zip(
        sklearn_digits(28), (n_train, n_val), ((0.0, 0.75), (0.75, 1.0)), strict=True
    ):
        pick = rng.randint(len(digits), size=count)
        images = np.zeros((count, 32, 32, 3), np.int16)
        for image, digit, at in zip(images, digits[pick], rng.randint(5, size=(count, 2)), strict=True):
            photo = photos[rng.randint(len(photos))]
            height, width = photo.shape[:2]
            y = rng.randint(height - 31)
            x = rng.randint(int(width * left), int(width * right) - 31)
            image[at[0] : at[0] + 28, at[1] : at[1] + 28] = digit[:, :, None]
            np.subtract(photo[y : y + 32, x : x + 32], image, out=image)
        parts.append((np.abs(images).astype(np.uint8).transpose(0, 3, 1, 2), labels[pick]))
    (train, train_labels), (val, val_labels) = parts
    return Splits(
        train=_split(train, train_labels),
        val=_split(val, val_labels),
        test=None,
        classes=tuple("0123456789"),
        name="photo digits",
        fingerprint=fingerprint(train, train_labels, val, val_labels),
        source="made from scikit-learn's load_digits and load_sample_images",
    )


# -------------------------------------------------------------------------------------------------------- real sets

CIFAR10_URLS = (
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/cifar-10-python.tar.gz",
)
CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR10_FINGERPRINT = "236658291b13ae8a2ffca05c6e10c548113d2b36fa873858b0c4d39b5f693e1a"  # 50,000 images, labels
CIFAR10_ARCHIVE_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"

MNIST_URLS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
MNIST_FINGERPRINT = (
    "52cd6c10ae77107af32269dd9d10ca19c1b749e83235a0c75e2f0729ebeaf141"  # images and labels of both parts
)
MNIST_SHA256 = {  # of the distributed .gz files
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}


def data_folder():
    """The folder of the real data sets: COMPANION_DATA, or else a cache folder of the user's."""
    if os.environ.get("COMPANION_DATA"):
        return Path(os.environ["COMPANION_DATA"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "companion"


def load_cifar10(root=None):
    """CIFAR-10's training set as 40,000 for training and a fixed 10,000 for validation; its test set is not used.

    Reads `cifar-10-batches-py/` or `cifar-10-python.tar.gz` below `root`; downloads the archive when neither is there.
    Both hold the same training arrays and have the same fingerprint. Raises `DataError`.
    """
    root = Path(root or data_folder())
    folder, archive = root / "cifar-10-batches-py", root / "cifar-10-python.tar.gz"
    names = [f"data_batch_{k}" for k in range(1, 6)]
    if folder.is_dir():
        source, remedy = "folder cifar-10-batches-py", f"remove the folder {folder.name}"
        batches = [_cifar_batch(read_file(folder / n, "cifar10"), f"{folder.name}/{n}", remedy) for n in names]
    else:
        if not archive.exists():
            download(CIFAR10_URLS, archive, CIFAR10_ARCHIVE_SHA256)
        source = "archive cifar-10-python.tar.gz"
        batches = _cifar_archive(archive, names)
    images = np.concatenate([images for images, _ in batches])
    labels = np.concatenate([labels for _, labels in batches])
    verify_fingerprint(CIFAR10_FINGERPRINT, fingerprint(images, labels), source, "cifar10")
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0)).numpy()
    train, val = np.sort(order[10_000:]), np.sort(order[:10_000])
    return Splits(
        train=_split(images[train], labels[train]),
        val=_split(images[val], labels[val]),
        test=None,
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
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                name = Path(member.name).name
                if name in names and member.isfile():
                    content = tar.extractfile(member).read()
                    batches[name] = _cifar_batch(content, f"{archive.name}: {name}", remedy)
        for name in names:
            if name not in batches:
                raise tarfile.TarError(f"{name} is not in it")
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise damaged_file(archive.name, "cifar10", error) from error
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


def load_mnist(root=None):
    """MNIST: 60,000 for training, and its 10,000 test images as validation set, as the reports use them.

    Reads the four IDX files, plain or .gz, in `MNIST/raw/` below `root`; downloads what is missing. Raises `DataError`.
    """
    folder = Path(root or data_folder()) / "MNIST" / "raw"
    arrays = []
    for name, sha256 in MNIST_SHA256.items():
        plain = folder / name.removesuffix(".gz")
        if plain.exists():
            content = read_file(plain, "mnist")
        else:
            if not (folder / name).exists():
                download([url + name for url in MNIST_URLS], folder / name, sha256)
            try:
                content = gzip.decompress(read_file(folder / name, "mnist"))
            except (OSError, EOFError, zlib.error) as error:
                raise damaged_file(name, "mnist", error) from error
        arrays.append(_idx(content, plain.name))
    verify_fingerprint(MNIST_FINGERPRINT, fingerprint(*arrays), "folder MNIST/raw", "mnist")
    train, train_labels, val, val_labels = arrays
    return Splits(
        train=_split(train[:, None], train_labels),
        val=_split(val[:, None], val_labels),
        test=None,
        classes=tuple("0123456789"),
        name="MNIST",
        fingerprint=MNIST_FINGERPRINT,
        source="IDX files in MNIST/raw",
    )


def _idx(content, name):
    """The array of bytes in an IDX file."""
    try:
        zeros, kind, dims = struct.unpack(">HBB", content[:4])
        shape = struct.unpack(f">{dims}I", content[4 : 4 + 4 * dims])
        if zeros or kind != 8:
            raise ValueError("not an IDX file of bytes")
        return np.frombuffer(content, np.uint8, offset=4 + 4 * dims).reshape(shape)
    except (struct.error, ValueError) as error:
        raise damaged_file(name, "mnist", error) from error


def is_whole(number):
    """Is it an integer, of Python's or of NumPy's, and not True or False?"""
    return isinstance(number, Integral) and not isinstance(number, bool)


def check_fold(held_out, folds, what):
    """Raise DataError unless `held_out` is a whole number from 0 to folds - 1; `what` names such a part in the sentence."""
    if not is_whole(held_out) or held_out not in range(folds):
        choice = f"0 to {folds - 1}" if folds > 1 else "always 0"
        raise DataError(f"held_out is the number of the {what} kept for validation: {choice}, not {held_out!r}.")


def read_file(path, dataset):
    """The bytes of a file of a data set. Raises DataError, with what to do, where it is missing or cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(
            f"{path.name} is missing in {path.parent}: put it there, or remove that folder and run "
            f"`companion data {dataset}` to download the whole set."
        ) from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): check its permissions.") from error


def damaged_file(name, dataset, error, remedy=None):
    """The DataError, to be raised, for a file that cannot be decoded; `remedy` replaces "delete <name>"."""
    reason = str(error) or type(error).__name__
    return DataError(
        f"{name} is damaged or not the right file ({reason}): {remedy or f'delete {name}'} "
        f"and run `companion data {dataset}` to fetch it again."
    )


def verify_fingerprint(expected, actual, source, dataset, remedy="delete it"):
    """Raise DataError unless the content that was read is the known one."""
    if actual != expected:
        raise DataError(
            f"The {source} can be read, but its content is not the known {dataset} set (fingerprint {actual[:12]}…, "
            f"expected {expected[:12]}…): {remedy} and run `companion data {dataset}` to fetch it again."
        )


def download(urls, target, sha256, attempts_per_url=2):
    """Fetch `target` from the first of `urls` that works; resumes a broken download, and leaves only a verified file.

    The bytes gather in `target` + ".part" and are renamed when their SHA-256 is right. Where that is None (an archive that
    the server packs anew), the caller verifies the content. Raises `DataError`.
    """
    target = Path(target)
    part = target.with_name(target.name + ".part")
    with _writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    problem = "no address given"
    for url in [u for u in urls for _ in range(attempts_per_url)]:
        try:
            _fetch(url, part)
        except (OSError, EOFError, http.client.HTTPException) as error:
            problem = str(getattr(error, "reason", error)).strip() or type(error).__name__
            if getattr(error, "code", None) == 416:  # the part is longer than the file: start again
                part.unlink(missing_ok=True)
            continue
        with open(part, "rb") as file:
            if sha256 in (None, hashlib.file_digest(file, "sha256").hexdigest()):
                with _writing(target):
                    os.replace(part, target)
                return
        part.unlink()
        problem = "what came is not the expected file"
    raise DataError(
        f"{target.name} could not be downloaded ({problem}): check the network and try again, or put the file into "
        f"{target.parent} by hand from {urls[0]}."
    )


@contextmanager
def _writing(path):
    """Turns an error of the disk into one sentence, so that it is not taken for one of the network."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{path} cannot be written ({error.strerror}): make room or get permission there, "
            "or set COMPANION_DATA to another folder."
        ) from error


def _fetch(url, part):
    """Append to `part` what is still missing of `url`; EOFError when the connection ended too early."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(request, timeout=30) as response:
        if response.status != 206:
            have = 0  # the server sends the whole file
        length = response.headers.get("Content-Length")
        with _writing(part):
            open(part, "ab").close()
        with open(part, "ab" if have else "wb", buffering=0) as file:
            while block := response.read(1 << 20):
                with _writing(part):
                    file.write(block)
            got = file.tell() - have
    if length is not None and got < int(length):
        raise EOFError(f"only {got} of {length} bytes arrived")
