"""Two classes of grey pictures, with the sizes that the pictures had: Caltech-101's airplanes and motorbikes, and a stand-in."""

import hashlib
import io
import tarfile
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from companion.data.digits import sklearn_digits
from companion.data.files import (
    DataError,
    check_complete,
    damaged_file,
    data_folder,
    download_and_read,
    is_file,
    is_folder,
    listed,
    read_file,
    stamp,
    unreadable,
    verify_fingerprint,
)
from companion.data.splits import Split, Splits, check_split, fingerprint, is_whole

CALTECH_NAME = "planes_and_motorbikes"
CALTECH_URLS = ("https://data.caltech.edu/records/mzrjq-6wc02/files/caltech-101.zip",)  # all 102 folders, 137 MB
CALTECH_PLACE, CALTECH_ARCHIVE = "caltech101/101_ObjectCategories", "caltech-101.zip"
CALTECH_INNER = "caltech-101/101_ObjectCategories.tar.gz"  # in the archive, and the pictures in it
CALTECH_COUNTS = {"airplanes": 800, "Motorbikes": 798}  # folders of the two classes: their pictures
CALTECH_FINGERPRINT = (
    "154aba495491b0650ca8a90c0f245ed41efad143b7a167abb1135db9b3faa501"  # names and bytes of the 1,598 files
)


@dataclass(frozen=True)
class SizedSplit(Split):
    """A split that also knows the width and height in pixels, (N, 2), that each picture had before it was resized."""

    sizes: torch.Tensor


def load_planes_and_motorbikes(split=0, size=64, root=None):
    """Caltech-101's 800 airplanes and 798 motorbikes, in grey, squeezed to size×size bytes, (N, 1, size, size).

    A quarter is for validation: the first of a permutation whose seed is `split`. Both parts are `SizedSplit`s. Reads
    `caltech101/101_ObjectCategories/`, in which other folders may lie, or `caltech-101.zip` below `root`; downloads the
    archive when neither is there. Seven motorbikes are grey in their files already; `source` counts them. The fingerprint is
    that of the names and bytes of the files, since decoded pixels may differ a little between builds of Pillow. Raises
    `DataError`.
    """
    check_split(split)
    _check_size(size)
    root = data_folder(root)
    folder, archive = root / CALTECH_PLACE, root / CALTECH_ARCHIVE
    if is_folder(folder):
        images, labels, sizes, source = _pictures(
            root, size, stamp([folder, *(folder / name for name in CALTECH_COUNTS)])
        )
    elif is_file(archive):
        images, labels, sizes, source = _pictures(root, size, stamp([archive]))
    else:
        whole = download_and_read(CALTECH_URLS, archive, lambda: _pictures(root, size, stamp([archive])))
        images, labels, sizes, source = whole
    train, val = _parts(images, labels, sizes, split)
    return Splits(
        train=train,
        val=val,
        classes=("airplane", "motorbike"),
        name="airplanes and motorbikes",
        fingerprint=CALTECH_FINGERPRINT,
        source=source,
    )


@lru_cache(maxsize=1)
def _pictures(root, size, content_stamp):
    """Images (N, 1, size, size), labels, sizes (N, 2) and the source of the verified set; read anew when the stamp is another."""
    folder, archive = root / CALTECH_PLACE, root / CALTECH_ARCHIVE
    if is_folder(folder):
        source, remedy = f"folder {CALTECH_PLACE}", "remove the folder caltech101"
        contents = _in_folder(folder, remedy)
    else:
        source, remedy = f"archive {CALTECH_ARCHIVE}", f"delete {CALTECH_ARCHIVE}"
        contents = _in_archive(archive)
    names = [
        f"{kind}/image_{number:04d}.jpg" for kind, count in CALTECH_COUNTS.items() for number in range(1, count + 1)
    ]
    check_complete(names, contents, "pictures", source, CALTECH_NAME, remedy)
    images, sizes, modes, digest = [], [], Counter(), hashlib.sha256()
    for name in names:
        try:
            with Image.open(io.BytesIO(contents[name])) as file:
                modes[file.mode] += 1
                sizes.append(file.size)
                images.append(_squeezed(file.convert("L"), size))
        except (
            OSError,
            ValueError,
            SyntaxError,
            Image.DecompressionBombError,
        ) as error:  # what Pillow raises on damage
            reason = (
                "the picture ends too early" if "truncated" in str(error) else "it is no picture that can be decoded"
            )
            raise damaged_file(f"In the {source}, {name}", CALTECH_NAME, ValueError(reason), remedy) from error
        digest.update(f"{name} {len(contents[name])}\n".encode() + contents[name])
    verify_fingerprint(CALTECH_FINGERPRINT, digest.hexdigest(), source, CALTECH_NAME, remedy)
    grey = modes["L"]
    source += f", {len(names):,} pictures, {grey} of them grey in {'its file' if grey == 1 else 'their files'}"
    labels = np.repeat([0, 1], list(CALTECH_COUNTS.values()))
    return np.stack(images)[:, None], labels, np.array(sizes), source


def _in_folder(folder, remedy):
    """{"airplanes/image_0001.jpg": bytes} of the two folders, whatever else lies beside them and in them."""
    contents, there = {}, listed(folder)
    for kind in CALTECH_COUNTS:
        if kind not in there or not is_folder(there[kind]):
            others = sorted(name for name, path in there.items() if is_folder(path) and name not in CALTECH_COUNTS)
            found = (
                f"it holds {', '.join(others[:3])}{' and others' if others[3:] else ''}" if others else "it is empty"
            )
            raise DataError(
                f"The folder {folder} has no folder {kind} in it ({found}): put Caltech-101's {' and '.join(CALTECH_COUNTS)} "
                f"there, or {remedy} and run `companion data {CALTECH_NAME}` to download the whole set."
            )
        pictures = {name: path for name, path in listed(there[kind]).items() if name.lower().endswith(".jpg")}
        if not pictures:
            raise DataError(
                f"The folder {there[kind]} holds no .jpg pictures: put Caltech-101's {kind} there, or {remedy} and run "
                f"`companion data {CALTECH_NAME}` to download the whole set."
            )
        contents |= {f"{kind}/{name}": read_file(path, CALTECH_NAME) for name, path in pictures.items()}
    return contents


def _in_archive(archive):
    """The same of the archive: a zip with a .tar.gz of all folders in it, of which two are read."""
    contents = {}
    try:
        with (
            zipfile.ZipFile(archive) as whole,
            whole.open(CALTECH_INNER) as packed,
            tarfile.open(fileobj=packed, mode="r|gz") as tar,
        ):
            for member in tar:
                name = "/".join(Path(member.name).parts[-2:])
                if member.isfile() and Path(member.name).parent.name in CALTECH_COUNTS:
                    contents[name] = tar.extractfile(member).read()
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError) as error:
        raise damaged_file(archive.name, CALTECH_NAME, error) from error
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        if getattr(error, "errno", None):  # the disk's, not the archive's: nothing to delete
            raise unreadable(archive, error) from error
        raise damaged_file(archive.name, CALTECH_NAME, error) from error
    return contents


def load_fours_and_nines(split=0, size=28):
    """scikit-learn's 181 fours and 180 nines as size×size bytes, a quarter for validation: the book's stand-in for the above.

    The sizes are made up: fours "were scanned" 20 to 25 pixels wide and nines 32 to 40, so that the width gives a digit away here as
    it does there. Each is enlarged to its size and then squeezed to size×size, which hardly shows. `split` as above.
    """
    check_split(split)
    _check_size(size)
    (train, train_labels), (val, val_labels) = sklearn_digits(8)
    digits, labels = np.concatenate([train, val]), np.concatenate([train_labels, val_labels])
    digits, labels = digits[(labels == 4) | (labels == 9)], (labels[(labels == 4) | (labels == 9)] == 9).astype(int)
    rng = np.random.RandomState(0)  # whose stream is frozen by NumPy
    widths = np.where(labels == 1, rng.randint(32, 41, len(labels)), rng.randint(20, 26, len(labels)))
    sizes = np.stack([widths, rng.randint(24, 33, len(labels))], axis=1)
    images = np.stack(
        [
            _squeezed(Image.fromarray(digit).resize((int(width), int(height)), Image.Resampling.BILINEAR), size)
            for digit, (width, height) in zip(digits, sizes, strict=True)
        ]
    )[:, None]
    train, val = _parts(images, labels, sizes, split)
    return Splits(
        train=train,
        val=val,
        classes=("four", "nine"),
        name="fours and nines",
        fingerprint=fingerprint(images, labels, sizes),
        source="made from scikit-learn's load_digits",
    )


def _squeezed(picture, size):
    """A grey picture as bytes (size, size), whatever its sides were."""
    return np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR))


def _check_size(size):
    if not is_whole(size) or not 1 <= size <= 512:
        raise DataError(f"size is the side of the squeezed pictures in pixels, from 1 to 512, not {size!r}.")


def _parts(images, labels, sizes, split):
    """The training and the validation part: a quarter, drawn with the seed `split`."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(split)).numpy()
    cut = len(labels) // 4
    return [
        SizedSplit(
            inputs=torch.from_numpy(images[chosen]),
            targets=torch.from_numpy(labels[chosen].astype(np.int64)),
            sizes=torch.from_numpy(sizes[chosen].astype(np.int64)),
        )
        for chosen in (np.sort(order[cut:]), np.sort(order[:cut]))
    ]
