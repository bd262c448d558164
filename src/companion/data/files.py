"""Where the real data sets lie, and how their files are fetched, read and verified."""

import hashlib
import http.client
import os
import stat
import sys
import tarfile
import time
import urllib.request
import zlib
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

PATIENCE = 300  # seconds without one more byte, after which the wait for another process's download ends


class DataError(RuntimeError):
    """A data set that is missing, damaged or cannot be fetched; the message says what to do."""


# ------------------------------------------------------------------------------------------------ where the data lie


def absolute(path):
    """The path as an absolute one, with ~ for the user's own folder, so that it means the same in every working folder."""
    return Path(os.path.abspath(os.path.expanduser(path)))


def data_folder(root=None):
    """The folder of the real data sets, absolute: `root`, or else COMPANION_DATA, or else a cache folder of the user's."""
    if root or os.environ.get("COMPANION_DATA"):
        return absolute(root or os.environ["COMPANION_DATA"])
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return (
        absolute(cache if os.path.isabs(cache) else "~/.cache") / "companion"
    )  # a relative one does not count, by its standard


def is_file(path):
    """Is there a file? A path that may not be asked is a DataError, and not a file that is missing."""
    return stat.S_ISREG(_mode(path))


def is_folder(path):
    """Is there a folder? A path that may not be asked is a DataError, and not a folder that is missing."""
    return stat.S_ISDIR(_mode(path))


def _mode(path):
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError as error:
        raise unreadable(path, error) from error


def first_there(folder, places):
    """The first of the places (folders, or files with a suffix such as .gz) that is there below the folder, or None."""
    return next((p for p in places if (is_file if Path(p).suffix else is_folder)(folder / p)), None)


def stamp(paths):
    """A key that changes when one of these files, or of the files in these folders, is added, removed or written."""
    digest = hashlib.sha256()
    for path in paths:
        for file in sorted(listed(path).values()) if is_folder(path) else [path]:
            try:
                info = file.stat()
            except FileNotFoundError:  # it, or what a link means: whoever reads it will say so
                continue
            except OSError as error:
                raise unreadable(file, error) from error
            digest.update(f"{file}\0{info.st_size}\0{info.st_mtime_ns}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


# ---------------------------------------------------------------------------------------------------------- reading


def unreadable(path, error):
    """The DataError, to be raised, for what the disk does not give: the fault is not in the file, so it may stay."""
    if isinstance(error, IsADirectoryError):
        return DataError(f"{path} cannot be read: it is a folder where a file is needed, so move it away.")
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path} cannot be read ({error.strerror}): check the path.")
    return DataError(f"{path} cannot be read ({error.strerror or error}): check its permissions.")


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
        raise unreadable(path, error) from error


def members(archive, dataset, key):
    """The pairs (key(path), content) of the files in the archive for which `key` is not None, one after the other."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                name = key(Path(member.name)) if member.isfile() else None
                if name is not None:
                    yield name, tar.extractfile(member).read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        if getattr(error, "errno", None):  # the disk's, not the archive's: nothing to delete
            raise unreadable(archive, error) from error
        raise damaged_file(archive.name, dataset, error) from error


def listed(folder):
    """{name: path} of what lies in the folder; empty when it is not there."""
    try:
        return {path.name: path for path in folder.iterdir()} if is_folder(folder) else {}
    except OSError as error:
        raise unreadable(folder, error) from error


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


def check_complete(names, found, what, source, dataset, remedy):
    missing = [name for name in names if name not in found]
    if missing:
        raise DataError(
            f"The {source} holds {len(names) - len(missing):,} of the {len(names):,} {what}; {missing[0]} is the first one "
            f"missing: {remedy} and run `companion data {dataset}` to fetch the whole set."
        )


# ---------------------------------------------------------------------------------------------------------- download


def download(urls, target, sha256, attempts_per_url=2):
    """Fetch `target` from the first of `urls` that works; resumes a broken download, and leaves only a verified file.

    The bytes gather in `target` + ".part" and are renamed when their SHA-256 is right. Where that is None (an archive that
    the server packs anew), the caller verifies the content. Of several processes that want the same file, one fetches it and the
    others wait. Raises `DataError`.
    """
    target = absolute(target)
    with _alone(target):
        if sha256 is None or not _holds(target, sha256):
            _download(urls, target, sha256, attempts_per_url)


def download_and_read(urls, archive, read):
    """What `read` makes of the archive from the first of `urls` that sends the right one; any other is not kept.

    For an archive that the server packs anew, so that no SHA-256 tells a whole one from half of one or from a web page.
    """
    problems = []
    with _alone(archive):
        if is_file(archive):  # another process has fetched it by now
            return read()
        for url in urls:
            try:
                _download([url], archive, None)
            except DataError as error:
                problems.append(error)
                continue
            try:
                return read()
            except DataError:
                archive.unlink(missing_ok=True)  # ours: it was not there before
                problems.append(
                    DataError(
                        f"{archive.name} could not be downloaded (what came is not the expected file): try again later, or "
                        f"put the file into {archive.parent} by hand from {urls[0]}."
                    )
                )
    raise problems[0]


@contextmanager
def _alone(target):
    """Only one process at a time is in here for the same target; the others wait, and say so on the standard error.

    A DataError when the other one's download has not grown for `PATIENCE` seconds.
    """
    if is_folder(target):
        raise unreadable(target, IsADirectoryError())
    with _writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    path, part = target.with_name(target.name + ".lock"), _part(target)
    lock, waited, size, since = FileLock(path), False, None, time.monotonic()
    while not lock.is_locked:
        try:
            lock.acquire(timeout=0.5 if waited else 0)
        except Timeout as error:
            if not waited:
                print(f"Another process is downloading {target.name}; waiting for it.", file=sys.stderr)
            waited, before, size = True, size, _size(part)
            if size != before:
                since = time.monotonic()
            elif time.monotonic() - since > PATIENCE:
                raise DataError(
                    f"{target.name} is being downloaded by another process, which has got nothing more for {PATIENCE} seconds: "
                    f"end that process and try again; if there is none, delete {path}."
                ) from error
        except NotImplementedError:  # a file system without locks, and a filelock without a substitute
            break
        except OSError as error:
            raise _unwritable(target, error) from error
    try:
        yield
    finally:
        with suppress(OSError):  # where an open file cannot be removed, filelock does it
            path.unlink()
        lock.release()


def _holds(path, sha256):
    """Is the file there, and has it this SHA-256 (None: any)?"""
    if sha256 is None or not is_file(path):
        return is_file(path)
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError as error:
        raise unreadable(path, error) from error


def _part(target):
    return target.with_name(target.name + ".part")


def _size(part):
    try:
        return part.stat().st_size
    except FileNotFoundError:
        return 0


def _download(urls, target, sha256, attempts_per_url=2):
    part = _part(target)
    problem = "no address given"
    for url in [u for u in urls for _ in range(attempts_per_url)]:
        try:
            _fetch(url, part)
        except (OSError, EOFError, http.client.HTTPException) as error:
            problem = str(getattr(error, "reason", error)).strip() or type(error).__name__
            if getattr(error, "code", None) == 416:  # the part is longer than the file: start again
                part.unlink(missing_ok=True)
            continue
        with _writing(target):
            if _holds(part, sha256):
                os.replace(part, target)
                return
            part.unlink()
        problem = "what came is not the expected file"
    raise DataError(
        f"{target.name} could not be downloaded ({problem}): check the network and try again, or put the file into "
        f"{target.parent} by hand from {urls[0]}."
        if urls
        else f"{target.name} is not in {target.parent}, and no address is known to download it from."
    )


@contextmanager
def _writing(path):
    """Turns an error of the disk into one sentence, so that it is not taken for one of the network."""
    try:
        yield
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path, error):
    return DataError(
        f"{path} cannot be written ({error.strerror or error}): make room or get permission there, "
        "or set COMPANION_DATA to another folder."
    )


def _fetch(url, part):
    """Append to `part` what is still missing of `url`; EOFError when the connection ended too early."""
    with _writing(part):
        have = _size(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(request, timeout=30) as response:
        if response.status != 206:
            have = 0  # the server sends the whole file
        length = response.headers.get("Content-Length")
        with _writing(part):
            file = open(part, "ab" if have else "wb", buffering=0)  # noqa: SIM115
        with file:
            while block := response.read(1 << 20):
                with _writing(part):
                    file.write(block)
            got = file.tell() - have
    if length is not None and got < int(length):
        raise EOFError(f"only {got} of {length} bytes arrived")
