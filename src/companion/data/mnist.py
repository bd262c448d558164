"""MNIST, from its four IDX files."""

import gzip
import struct
import zlib

import numpy as np

from companion.data.files import damaged_file, data_folder, download, is_file, read_file, verify_fingerprint
from companion.data.splits import Splits, as_split, fingerprint

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


def load_mnist(root=None):
    """MNIST: 60,000 for training, and its 10,000 test images as validation set, as the reports use them.

    Reads the four IDX files, plain or .gz, in `MNIST/raw/` below `root`, also under the names that they have at Kaggle
    (train-images.idx3-ubyte); downloads what is missing. Raises `DataError`.
    """
    folder = data_folder(root) / "MNIST" / "raw"
    arrays = [_idx(*_content(folder, name)) for name in MNIST_SHA256]
    verify_fingerprint(MNIST_FINGERPRINT, fingerprint(*arrays), "folder MNIST/raw", "mnist")
    train, train_labels, val, val_labels = arrays
    return Splits(
        train=as_split(train[:, None], train_labels),
        val=as_split(val[:, None], val_labels),
        classes=tuple("0123456789"),
        name="MNIST",
        fingerprint=MNIST_FINGERPRINT,
        source="IDX files in MNIST/raw",
    )


def _content(folder, name):
    """The bytes of the IDX file that is distributed as `name`, unpacked, and the name of the file that they come from."""
    dotted = name.replace("-idx", ".idx")
    for path in [folder / n for packed in (name, dotted) for n in (packed.removesuffix(".gz"), packed)]:
        if is_file(path):
            break
    else:
        path = folder / name
        download([url + name for url in MNIST_URLS], path, MNIST_SHA256[name])
    content = read_file(path, "mnist")
    if path.suffix != ".gz":
        return content, path.name
    try:
        return gzip.decompress(content), path.name
    except (OSError, EOFError, zlib.error) as error:
        raise damaged_file(path.name, "mnist", error) from error


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
