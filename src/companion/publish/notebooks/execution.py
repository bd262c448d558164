"""Runs whole chapters through papermill, for the site."""

import datetime
import json
import os
import platform
import subprocess
import tempfile
import time
from importlib import metadata
from pathlib import Path

from companion.evidence import profiles
from companion.publish import UserError, disk_problem, git
from companion.publish.notebooks import chapters, figures, kernels


def execute(text, parameters, folder=None, label="notebook", start=None, limit=None):
    """Execute a notebook (JSON text) by papermill in a fresh kernel; returns the executed notebook as JSON text.

    Its metadata `companion_uses` says which modules, records, ledger rows and profiles of the package the run used. A cell
    that prints without end is stopped, and so is one that takes longer than `limit` seconds (None: there is no limit).
    `start` is a line that the kernel runs first. Raises UserError with the failing cell's number and message.
    """
    import nbformat
    import papermill
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    from companion.publish.notebooks import clients

    kernels.use_own_environment()
    text = nbformat.writes(kernels.ask_uses(nbformat.reads(text, as_version=4)))
    with tempfile.TemporaryDirectory() as scratch:
        source, result = Path(scratch, "source.ipynb"), Path(scratch, "result.ipynb")
        source.write_text(text, encoding="utf-8")
        try:
            papermill.execute_notebook(
                source,
                result,
                parameters,
                kernel_name="python3",
                engine_name=clients.register(),
                execution_timeout=limit,
                cwd=folder or scratch,
                progress_bar=False,
                start_timeout=kernels.STARTUP,
                coalesce_streams=True,  # else where one cell's prints are split depends on timing
                extra_arguments=[
                    "--IPKernelApp.log_level=50",  # kernels warn about TCP on every start
                    *([f"--IPKernelApp.exec_lines={start}"] if start else []),
                ],
            )
        except papermill.PapermillExecutionError as error:
            where = f"cell [{error.exec_count}]" if error.exec_count else "a cell"
            raise UserError(f"{label}: {where} failed with {kernels.reason(error)}") from None
        except DeadKernelError:
            raise UserError(f"{label}: its kernel died, most likely for lack of memory; try fewer --workers.") from None
        except clients.CellStopped as error:
            raise UserError(f"{label}: {error}") from None
        except (CellExecutionError, OSError, RuntimeError) as error:
            raise UserError(f"{label}: it could not be executed: {kernels.reason(error)}") from None
        executed = nbformat.read(result, as_version=4)
    executed.metadata["companion_uses"] = kernels.take_uses(executed)
    return nbformat.writes(executed)


def execute_chapter(root, chapter, profile="quick"):
    """Execute a whole chapter and put the result into `_build/executed/<profile>/<chapter>.ipynb`; returns its path."""
    import nbformat

    notebook = chapters.read_source(root, chapter)
    values = {} if profile == "quick" else profile_parameters(chapter, chapters.parameters(notebook))
    limit = kernels.cell_limit() if profile == "quick" else None  # a full profile trains for hours
    start = time.perf_counter()  # papermill's own times are those of the clock on the wall, which may be set back
    text = execute(nbformat.writes(notebook), values, root / "book", chapter, figures.START, limit)
    seconds = time.perf_counter() - start
    executed = nbformat.reads(text, as_version=4)
    uses = executed.metadata.pop("companion_uses")
    devices = {
        run["history"]["device"] for payload in payloads(executed, "companion_record") for run in payload["runs"]
    }
    executed.metadata["companion"] = {
        "profile": profile,
        "seconds": round(seconds),
        "cpu": round(executed.metadata.pop("companion_cpu"), 1),  # does not grow with what else the machine does
        "device": " and ".join(sorted(devices)) or "cpu",
        "versions": {"Python": platform.python_version(), "PyTorch": metadata.version("torch")},
        "commit": current_commit(root),
        "date": today(),
        "uses": uses,
        "hash": chapters.code_hash(notebook, uses),
    }
    path = executed_path(root, chapter, profile)
    chapters.write_notebook(executed, path)
    return path


def executed_path(root, chapter, profile="quick"):
    return root / "_build" / "executed" / profile / f"{chapter}.ipynb"


def is_current(root, chapter, path=None):
    """Whether the executed notebook (or another one at `path`) holds the outputs of the present code."""
    about = _about(path or executed_path(root, chapter))
    return "uses" in about and about["hash"] == chapters.code_hash(chapters.read_source(root, chapter), about["uses"])


def is_done(root, chapter):
    """Whether the executed notebook holds the outputs of the present code and the present words: nothing is left to do.

    The notebook says so itself, however the command that made it ended: it is written whole or not at all.
    """
    path = executed_path(root, chapter)
    if not is_current(root, chapter):
        return False
    executed = chapters.derived_notebook(path)
    return executed is not None and _cells(executed) == _cells(chapters.read_source(root, chapter))


def _cells(notebook):
    """What an author has written into each cell: its kind, text and tags, without what papermill notes there."""
    own = ("papermill", "execution")
    return [
        (cell.cell_type, cell.source, {k: v for k, v in cell.metadata.items() if k not in own and v != []})
        for cell in notebook.cells
    ]


def _about(path):
    """What the book noted in a notebook's metadata; {} where there is none or it cannot be read: it is made anew."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))["metadata"].get("companion", {})
    except (OSError, ValueError, KeyError):
        return {}


def task(root, chapter):
    """`execute_chapter` as an action of doit: a failure is a sentence, not a traceback.

    Where only words have changed since the last run, its outputs are taken over and nothing is executed.
    """
    from doit.exceptions import TaskFailed

    path = executed_path(root, chapter)
    try:
        notebook = chapters.read_source(root, chapter)
        if chapters.take_outputs(notebook, chapters.derived_notebook(path)):
            return chapters.write_notebook(notebook, path)
        execute_chapter(root, chapter)
    except UserError as error:
        return TaskFailed(str(error))
    except OSError as error:
        return TaskFailed(f"{chapter}: {disk_problem(error)}")


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
    """The short hash of the commit, with a + when sources differ from it; "unknown" outside a repository of the book's own."""
    derived = (":(exclude)src/companion/evidence/records", ":(exclude)book/*.ipynb")
    head = git.ask(root, "rev-parse", "--short=10", "HEAD") if git.is_repository(root) else None
    if head is None:
        return "unknown"
    return head.strip() + ("+" if git.ask(root, "status", "--porcelain", "--", "src", "book", *derived) else "")


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
