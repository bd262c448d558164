"""What the tests of data sets share: files written and compared, refusals, the real sets."""

import io
import os
import shutil
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from companion.data.files import DataError
from companion.models.sequences import sequence_lengths


def refusal(call, *arguments):
    """The message of the DataError that the call raises, once it is sure to be one sentence."""
    with pytest.raises(DataError) as caught:
        call(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


def tar_of(files, folder):
    """A .tar.gz of {name: content} below `folder`, as bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def real_folder(*below):
    """The folder of a real data set, or a skip with the reason."""
    root = os.environ.get("COMPANION_DATA")
    if not root:
        pytest.skip("COMPANION_DATA is not set, so there are no real data to test")
    if not Path(root, *below).exists():
        pytest.skip(f"COMPANION_DATA holds no {'/'.join(map(str, below))}")
    return Path(root)


def assert_padding_follows_the_end(inputs, lengths):
    """Every step before the end holds something, every step after it nothing; no sequence is empty."""
    real = (inputs != 0) if inputs.dim() == 2 else (inputs != 0).any(2)
    steps = torch.arange(inputs.shape[1])
    assert torch.equal(real, steps < torch.as_tensor(lengths)[:, None])
    assert torch.equal(sequence_lengths(inputs), torch.as_tensor(lengths))
    assert min(lengths) > 0


def write(root, folder, files):
    for name, content in files.items():
        path = root / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def everything_in(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def refusal_without_a_trace(load, root):
    """The message of the DataError, once it is sure that no file of the user's was touched and none is left behind."""
    before = everything_in(root)
    message = refusal(lambda: load(root=root))
    assert everything_in(root) == before
    return message


def assert_equal_splits(first, second):
    assert (first.fingerprint, first.vocabulary, first.classes) == (
        second.fingerprint,
        second.vocabulary,
        second.classes,
    )
    for part in ("train", "val"):
        assert torch.equal(getattr(first, part).inputs, getattr(second, part).inputs)
        assert torch.equal(getattr(first, part).labels, getattr(second, part).labels)


def both(splits, attribute):
    return torch.cat([getattr(splits.train, attribute), getattr(splits.val, attribute)])


@contextmanager
def ordinary_user():
    """Inside, the permissions of files count, also when the tests are run by root, who may do everything."""
    if not hasattr(os, "geteuid"):
        pytest.skip("this system has no users and permissions as Unix has them")
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def shared_folder():
    """An empty folder that every user may read and write, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o777)
    shutil.rmtree(folder)
