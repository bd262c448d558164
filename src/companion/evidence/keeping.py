"""The record files: one JSON file per chapter, written whole, and by one command at a time."""

import json
import os
import uuid
from contextlib import contextmanager
from pathlib import Path

from companion.evidence import records
from companion.evidence.records import identity


@contextmanager
def edited(path):
    """The content of the record at `path`, to be changed in place; it is written when the block ends well.

    `content["runs"]` are the rows, `content["code"]` the versions of the code that made them, {name: version}. Between reading
    and writing no other command can write; the file is written whole or not at all. Raises ValueError where it cannot be read.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with held(path):
        content = read(path)
        yield content
        _write(path, content)


@contextmanager
def held(path, purpose="", timeout=-1):
    """Hold the lock of a record, or of one purpose with it; filelock.Timeout where another holds it after `timeout` seconds.

    The system gives a lock back when the process that holds it ends, however it ends.
    """
    from filelock import FileLock

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.stem}{purpose}.lock"), timeout=timeout):
        yield


def read(path):
    """{"code": {name: version}, "runs": [row, ...]} of the record at `path`; both empty where there is none."""
    path = Path(path)
    content = records.read(path) if path.exists() else {}
    return {"code": content.get("code", {}), "runs": content.get("runs", [])}


def merge_runs(path, rows, code=None):
    """Add rows (dictionaries of recorded runs) to the record at `path`; a row replaces the one of the same run.

    `code` are the versions of the code that the rows name; one that the record has already keeps what was signed for it.
    """
    with edited(path) as content:
        content["code"] = {**(code or {}), **content["code"]}
        content["runs"] += rows


def keep_runs(path, wanted):
    """Drop the runs from the record at `path` whose identity is not among `wanted`; returns how many."""
    if not Path(path).exists():
        return 0
    with edited(path) as content:
        kept = [row for row in content["runs"] if identity(row["parameters"]) in wanted]
        dropped = len(content["runs"]) - len(kept)
        content["runs"] = kept
    return dropped


def recorded_parameters(path):
    """The parameters of every run in the record at `path`, one dictionary each."""
    return [row["parameters"] for row in read(path)["runs"]]


def _write(path, content):
    """One line for each version of the code that a row names, and for each run, the last of each; ordered."""
    rows = {_key(row): row for row in content["runs"]}
    for row in rows.values():
        records.check_finite(row)
    named = {row["code"] for row in rows.values() if "code" in row}
    versions = [f"{_json(name)}: {_json(content['code'][name])}" for name in sorted(named & set(content["code"]))]
    code = '"code": {\n' + ",\n".join(versions) + "\n}, " if versions else ""
    lines = ",\n".join(_json(rows[key]) for key in sorted(rows))
    text = f'{{"chapter": {_json(path.stem)}, "format": 1, {code}"runs": [\n{lines}\n]}}\n'
    part = path.with_name(f".{path.stem}-{uuid.uuid4().hex[:12]}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _json(value):
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _key(row):
    """Equal for equal runs, and in order: by setting, then by seed as a number."""
    setting = json.dumps([row["setting"], identity({**row["parameters"], "seeds": 0})], sort_keys=True)
    return setting, row["seed"]
