"""Runs whole chapters through papermill, for the site."""

import datetime
import os
import platform
import subprocess
import tempfile
from importlib import metadata
from pathlib import Path

from companion.evidence import profiles
from companion.publish import UserError
from companion.publish.notebooks import chapters

KERNEL_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",  # one thread: repeatable, and jobs side by side do not disturb each other
    "PYTHONHASHSEED": "0",
    "TQDM_DISABLE": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}


def execute(text, parameters, folder=None, label="notebook"):
    """Execute a notebook (JSON text) by papermill in a fresh kernel; returns the executed notebook as JSON text.

    No cell has a time limit. Raises UserError with the failing cell's number and message.
    """
    import papermill
    from nbclient.exceptions import DeadKernelError

    os.environ.update(KERNEL_ENVIRONMENT)
    with tempfile.TemporaryDirectory() as scratch:
        source, result = Path(scratch, "source.ipynb"), Path(scratch, "result.ipynb")
        source.write_text(text, encoding="utf-8")
        try:
            papermill.execute_notebook(
                source,
                result,
                parameters,
                kernel_name="python3",
                cwd=folder or scratch,
                progress_bar=False,
                start_timeout=300,
                extra_arguments=["--IPKernelApp.log_level=50"],  # kernels warn about TCP on every start
            )
        except papermill.PapermillExecutionError as error:
            raise UserError(f"{label}: cell [{error.exec_count}] failed with {error.ename}: {error.evalue}") from None
        except DeadKernelError:
            raise UserError(f"{label}: its kernel died, most likely for lack of memory; try fewer --workers.") from None
        return result.read_text(encoding="utf-8")


def execute_chapter(root, chapter, profile="quick"):
    """Execute a whole chapter and put the result into `_build/executed/<profile>/<chapter>.ipynb`; returns its path."""
    import nbformat

    notebook = chapters.read_source(root, chapter)
    values = {} if profile == "quick" else profile_parameters(chapter, chapters.parameters(notebook))
    text = execute(nbformat.writes(notebook), values, root / "book", chapter)
    executed = nbformat.reads(text, as_version=4)
    devices = {
        run["history"]["device"] for payload in payloads(executed, "companion_record") for run in payload["runs"]
    }
    executed.metadata["companion"] = {
        "profile": profile,
        "seconds": round(executed.metadata.papermill.duration),
        "device": " and ".join(sorted(devices)) or "cpu",
        "versions": {"Python": platform.python_version(), "PyTorch": metadata.version("torch")},
        "commit": current_commit(root),
        "date": today(),
    }
    path = root / "_build" / "executed" / profile / f"{chapter}.ipynb"
    chapters.write_notebook(executed, path)
    return path


def task(root, chapter):
    """`execute_chapter` as an action of doit: a failure is a sentence, not a traceback."""
    from doit.exceptions import TaskFailed

    try:
        execute_chapter(root, chapter)
    except UserError as error:
        return TaskFailed(str(error))


def profile_parameters(chapter, defaults):
    """The values for the chapter run as a whole. Raises UserError on an unknown name."""
    entry = profiles.profile(chapter)
    box = (entry.get("grid") or [{}])[0]
    chapters.check_parameters(chapter, defaults, {**entry.get("parameters", {}), **box})
    return profiles.full_values(entry, defaults)


def payloads(notebook, key):
    """What the notebook's outputs carry in their metadata under this key."""
    return [
        output.metadata[key]
        for cell in chapters.code_cells(notebook)
        for output in cell.outputs
        if key in output.get("metadata", {})
    ]


def current_commit(root):
    """The short hash of the commit, with a + when sources differ from it; "unknown" outside git."""

    def git(*words):
        return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True).stdout.strip()

    try:
        derived = (":(exclude)src/companion/evidence/records", ":(exclude)book/*.ipynb")
        changed = git("status", "--porcelain", "--", "src", "book", *derived)
        return git("rev-parse", "--short=10", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def today():
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def default_workers():
    """One job per processor core; on a GPU, as many but at most four."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        gpu = subprocess.run(["nvidia-smi", "-L"], capture_output=True).returncode == 0
    except OSError:
        gpu = False
    return min(cores, 4) if gpu else cores
