"""Where the real data sets lie, and how their files are fetched, read and verified."""

import hashlib
import http.client
import os
import tarfile
import urllib.request
import zlib
from contextlib import contextmanager
from pathlib import Path


class DataError(RuntimeError):
    """A data set that is missing, damaged or cannot be fetched; the message says what to do."""


def data_folder():
    """The folder of the real data sets: COMPANION_DATA, or else a cache folder of the user's."""
    if os.environ.get("COMPANION_DATA"):
        return Path(os.environ["COMPANION_DATA"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "companion"


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


def members(archive, dataset, key):
    """{key(path): content} of the files in the archive for which `key` is not None."""
    contents = {}
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                name = key(Path(member.name)) if member.isfile() else None
                if name is not None:
                    contents[name] = tar.extractfile(member).read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        if getattr(error, "errno", None):  # the disk's, not the archive's: nothing to delete
            raise DataError(f"{archive} cannot be read ({error.strerror}): check its permissions.") from error
        raise damaged_file(archive.name, dataset, error) from error
    return contents


def listed(folder):
    """{name: path} of what lies in the folder; empty when it is not there."""
    try:
        return {path.name: path for path in folder.iterdir()} if folder.is_dir() else {}
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error.strerror}): check its permissions.") from error


def check_complete(names, found, what, source, dataset, remedy):
    missing = [name for name in names if name not in found]
    if missing:
        raise DataError(
            f"The {source} holds {len(names) - len(missing):,} of the {len(names):,} {what}; {missing[0]} is the first one "
            f"missing: {remedy} and run `companion data {dataset}` to fetch the whole set."
        )


def download_and_read(urls, archive, read):
    """What `read` makes of the archive from the first of `urls` that sends the right one; any other is not kept.

    For an archive that the server packs anew, so that no SHA-256 tells a whole one from half of one or from a web page.
    """
    problems = []
    for url in urls:
        try:
            download([url], archive, None)
        except DataError as error:
            problems.append(error)
            continue
        try:
            return read()
        except DataError:
            archive.unlink(missing_ok=True)  # ours: it was not there before
            problems.append(
                DataError(
                    f"{archive.name} could not be downloaded (what came is not the expected file): try again later, or put "
                    f"the file into {archive.parent} by hand from {urls[0]}."
                )
            )
    raise problems[0]
