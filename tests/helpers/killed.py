"""Commands that are killed at any moment: small books and data for each of them, and what they leave compared."""

import gzip
import hashlib
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import numpy as np
from books import ROOT
from sources import chapter_start
from tiny_book import GRID, TINY

from companion.data.mnist import MNIST_SHA256
from companion.data.splits import fingerprint

DRIVER = """\
import json, sys
from importlib import import_module
from companion.evidence import profiles
from companion.publish.cli import main

if __name__ == "__main__":  # the workers of `record` start with nothing and read this file again
    values = json.loads({values!r})
    if "grid" in values:
        profiles.profile = lambda chapter: values["grid"]
    for place, value in values.get("names", {{}}).items():
        module, name = place.rsplit(".", 1)
        setattr(import_module(module), name, value)
    sys.exit(main(sys.argv[1:]))
"""


@dataclass
class Killed:
    """A command in a folder of its own, which can be started, killed, and run to its end.

    `words` are the command's; `values` what differs from the real package in it: "grid", and {"module.NAME": value} under "names".
    """

    folder: Path
    words: list
    values: dict = field(default_factory=dict)
    environment: dict = field(default_factory=dict)

    def start(self, **options):
        script = self.folder.parent / f"{self.folder.name}-command.py"
        script.write_text(DRIVER.format(values=json.dumps(self.values)), encoding="utf-8")
        return subprocess.Popen(
            [sys.executable, str(script), *self.words],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a process group of its own, for `kill`
            **options,
        )

    def finish(self, **options):
        """Run the command to its end; returns (code, what it printed, what it complained of)."""
        process = self.start(**options)
        printed, said = process.communicate(timeout=300)
        return process.returncode, printed, said

    def kill_after(self, seconds):
        """Start it, and kill it with all that it has started after so many seconds; returns whether it was still at work."""
        process = self.start()
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        at_work = process.poll() is None
        end_with_children(process)
        process.communicate()
        return at_work


def end_with_children(process):
    """SIGKILL to a process and to all that it has started: also to kernels, which have process groups of their own."""
    import psutil

    try:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        family = []
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(family, timeout=10)


def moments(kills, seconds, seed):
    """So many moments of a command that takes so many seconds: one in each of as many equal parts, in any order."""
    draw = random.Random(seed)
    parts = [(number + draw.random()) * seconds / kills for number in range(kills)]
    draw.shuffle(parts)
    return parts


# ----------------------------------------------------------------------------------------------- the books, and what they hold


def make_book(folder, chapters=("one", "two")):
    """A book of tiny chapters that can be run, refreshed, recorded and built."""
    (folder / "book" / "static").mkdir(parents=True)
    for name in ("_config.yml", "README.md", "dodo.py"):
        shutil.copy(ROOT / name, folder)
    for name in ("static", "scripts"):
        shutil.copytree(ROOT / "book" / name, folder / "book" / name, dirs_exist_ok=True)
    (folder / "book" / "references.bib").write_text("")
    listed = "".join(f"  - file: book/{name}.ipynb\n" for name in chapters)
    toc = f"format: jb-book\nroot: book/index\nparts:\n- chapters:\n{listed}  - file: book/ledger\n"
    (folder / "_toc.yml").write_text(toc)
    (folder / "book" / "index.md").write_text("# Index\n\n% chapters-table\n")
    (folder / "book" / "ledger.md").write_text("# Ledger\n\n% ledger-table\n")
    for number, name in enumerate(chapters):
        source = (
            chapter_start(name.title(), f"seed = {number}") + "\n```{code-cell} ipython3\nprint(4000 + seed)\n```\n"
        )
        (folder / "book" / f"{name}.md").write_text(source, encoding="utf-8")
    return folder


def make_recorded(folder):
    """The book whose chapter `tiny` has a grid of four jobs."""
    make_book(folder, ("tiny",))
    (folder / "book" / "tiny.md").write_text(TINY)
    return folder


def run(folder):
    return Killed(make_book(folder), ["run"])


def refresh(folder):
    return Killed(make_book(folder), ["refresh"])


def build(folder):
    return Killed(make_book(folder), ["build", "--workers", "2"])


def record(folder):
    words = ["record", "tiny", "--workers", "2", "--folder", str(folder / "records")]
    return Killed(make_recorded(folder), words, {"grid": GRID})


def data(folder, url):
    """The command that fetches a made-up MNIST from a server of this machine."""
    folder.mkdir(parents=True)
    digits, files = made_up_mnist()
    at = "companion.data.mnist.MNIST_"
    sha256 = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    names = {f"{at}URLS": [url], f"{at}SHA256": sha256, f"{at}FINGERPRINT": fingerprint(*digits)}
    return Killed(folder, ["data", "mnist"], {"names": names}, {"COMPANION_DATA": str(folder / "data")})


def made_up_mnist(count=400):
    """(arrays, {file name: content}) of four IDX files of pictures that nobody can compress."""
    arrays, files = [], {}
    for seed, name in enumerate(MNIST_SHA256):
        shape = (count, 28, 28) if "images" in name else (count,)
        values = np.random.default_rng(seed).integers(0, 256 if "images" in name else 10, shape, dtype=np.uint8)
        head = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
        arrays.append(values)
        files[name] = gzip.compress(head + values.tobytes(), 1, mtime=0)
    return arrays, files


MADE = {"run": run, "refresh": refresh, "build": build, "record": record}


def left(folder):
    """{path: content} of all that a command left in the book, without what is another each time: times, dates, places."""
    kept = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        if not re.search(r"\.(lock|part|log|pyc)$|doit\.json$", name) and "_build/site/" not in name:
            kept[name] = without_times(path)
    return kept


def without_times(path):
    """The content of a file, without times and dates; raises an error where a file of a kind that we write is not whole."""
    if path.suffix == ".ipynb":
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        for name in ("papermill", "language_info", "companion_cpu"):
            notebook.metadata.pop(name, None)
        for name in ("seconds", "cpu", "date"):
            notebook.metadata.get("companion", {}).pop(name, None)
        for cell in notebook.cells:
            for name in ("papermill", "execution"):
                cell.metadata.pop(name, None)
            if cell.metadata.get("tags") == []:
                del cell.metadata["tags"]
            if cell.metadata.get("tags") == ["injected-parameters"]:
                cell["id"] = "injected"  # papermill draws it
            for output in cell.get("outputs", []):
                for one in output.get("metadata", {}).get("companion_record", {}).get("runs", []):
                    one["history"].pop("seconds", None)
        return json.dumps(notebook)
    if path.suffix == ".json" and path.parent.name == "records":
        content = json.loads(path.read_text(encoding="utf-8"))
        for row in content["runs"]:
            row.pop("seconds"), row.pop("date"), row["history"].pop("seconds")
        return content
    if path.suffix in (".html", ".md") or path.name == "searchtexts.js":
        text = path.read_text(encoding="utf-8")
        assert path.suffix != ".html" or text.rstrip().endswith("</html>"), path
        return re.sub(r"\d+\s(s|seconds)\b|\d{4}-\d\d-\d\d", "", text)
    if path.name == "searchindex.js":  # holds the seconds as words, too
        text = path.read_text(encoding="utf-8")
        assert text.startswith("Search.setIndex({") and text.endswith("})")
        return re.sub(r'"\d+": (\d+|\[[\d, ]*\])(, )?', "", text)
    return path.read_bytes()


def killed_again_and_again(make, tmp_path, kills, seed, in_a_row=False):
    """Kill a command at so many moments, and let it finish after each; its results have to be those of an undisturbed run.

    Returns how many of the kills met it at work. `in_a_row`: kill it so often in one and the same place, and let it finish
    after the last time only.
    """
    whole = make(tmp_path / "whole" / "book")
    start = time.perf_counter()
    code, _, said = whole.finish()
    seconds = time.perf_counter() - start
    assert code == 0, said
    wanted, met = left(whole.folder), 0
    drawn = moments(kills, seconds, seed)
    for number, some in enumerate([drawn] if in_a_row else [[moment] for moment in drawn]):
        one = make(tmp_path / f"killed-{number}" / "book")
        for moment in some:
            met += one.kill_after(moment)
            left(one.folder)  # whatever is there is whole
        code, _, said = one.finish()
        assert code == 0, f"killed after {moment:.2f} of {seconds:.2f} s: {said}"
        assert "Traceback" not in said, said
        differences(wanted, left(one.folder), f"killed after {moment:.2f} of {seconds:.2f} s")
        shutil.rmtree(one.folder.parent)
    return met


def differences(wanted, found, when):
    assert sorted(found) == sorted(wanted), when
    assert [name for name in wanted if found[name] != wanted[name]] == [], when
