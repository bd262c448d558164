"""Runs chapters through papermill: whole ones for the site, and one job per (setting, seed) for the records."""

import copy
import datetime
import itertools
import multiprocessing
import os
import platform
import re
import subprocess
import tempfile
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from companion.build import UserError, chapters
from companion.profiles import full_values, profile

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


# ------------------------------------------------------------------------------------------------ the full profile


@dataclass(frozen=True)
class Job:
    """One (setting, seed) of a chapter's grid: the parameters that papermill injects, and all values in force."""

    chapter: str
    injected: dict
    parameters: dict

    @property
    def name(self):
        return " ".join(f"{k}={v[0] if isinstance(v, list) else v}" for k, v in self.injected.items() if k != "device")


def profile_parameters(chapter, defaults):
    """The values for the chapter run as a whole. Raises UserError on an unknown name."""
    entry = profile(chapter)
    box = (entry.get("grid") or [{}])[0]
    chapters.check_parameters(chapter, defaults, {**entry.get("parameters", {}), **box})
    return full_values(entry, defaults)


def plan_jobs(chapter, defaults, overrides=None):
    """The jobs of the chapter's grid, seed by seed so that an interrupted record is still balanced."""
    entry, overrides = profile(chapter), overrides or {}
    if not entry.get("grid"):
        raise UserError(f"{chapter} has no grid in profiles.yml, so there is nothing to record.")
    jobs = []
    for box in entry["grid"]:
        for values in itertools.product(*box.values()):
            injected = {**entry.get("parameters", {}), **dict(zip(box, values, strict=True)), **overrides}
            chapters.check_parameters(chapter, defaults, injected)
            for name, value in injected.items():
                if isinstance(defaults[name], list) and not isinstance(value, list):
                    injected[name] = [value]
            jobs.append(Job(chapter, injected, {**defaults, **injected}))
    return sorted(jobs, key=lambda job: job.parameters.get("seeds", [0]))


def job_notebook(notebook):
    """The chapter up to its cell tagged `record`: what a job has to execute."""
    cut = copy.deepcopy(notebook)
    marks = [i for i, cell in enumerate(cut.cells) if "record" in chapters.tags(cell)]
    if len(marks) != 1:
        raise UserError(f"A chapter with a grid needs exactly one cell tagged 'record'; this one has {len(marks)}.")
    cut.cells = cut.cells[: marks[0] + 1]
    return cut


def record_chapter(
    root, chapter, *, workers=None, scheduler=None, redo=False, overrides=None, folder=None, progress=None
):
    """Run the jobs of the chapter's grid that its record does not hold yet, and save each one as it ends.

    `overrides` replace profile values ({"epochs": 2}); `folder` is where the record lies, the package's own by default.
    A record that holds runs made with other parameters is refused; `redo` makes every run again and drops such ones.
    `progress(total, chapter)` returns a function called with each job's name and its error or None as the job ends.
    Returns (done before, done now, errors as sentences).
    """
    import nbformat

    from companion import records

    notebook = chapters.read_source(root, chapter)
    jobs = plan_jobs(chapter, chapters.parameters(notebook), overrides)
    target = Path(folder or chapters.PACKAGE / "records") / f"{chapter}.json"
    recorded = records.recorded_parameters(target)
    planned = [records.identity(job.parameters) for job in jobs]
    if not redo:
        _refuse_other_parameters(chapter, recorded, planned)
    known = [] if redo else [records.identity(parameters) for parameters in recorded]
    todo = [job for job in jobs if records.identity(job.parameters) not in known]
    _check_data(todo)
    text, commit, errors = nbformat.writes(job_notebook(notebook)), current_commit(root), []
    bar = progress(len(todo), chapter) if progress else None
    with _executor(workers or default_workers(), scheduler) as pool:
        futures = {pool.submit(execute, text, job.injected, None, f"{chapter} ({job.name})"): job for job in todo}
        try:
            for future in as_completed(futures):
                job, problem = futures[future], None
                try:
                    rows = harvest(future.result(), job, commit)
                except UserError as error:
                    problem = str(error)
                    errors.append(problem)
                else:
                    _keep(root, job, future.result())
                    records.merge_runs(target, rows)
                if bar:
                    bar(job.name, problem)
        except BaseException:
            for future in futures:
                future.cancel()
            if isinstance(pool, ProcessPoolExecutor):
                for process in list(pool._processes.values()):  # their kernels end with them
                    process.terminate()
            raise
    if redo and not errors:
        records.keep_runs(target, planned)
    return len(jobs) - len(todo), len(todo) - len(errors), errors


def _refuse_other_parameters(chapter, recorded, planned):
    """Raise UserError when the record holds runs that the chapter and its profile would not make now."""
    from companion import records

    others = [parameters for parameters in recorded if records.identity(parameters) not in planned]
    if others:
        runs = "run" if len(others) == 1 else "runs"
        nearest = min((records.differences(others[0], job) for job in planned), key=len)
        raise UserError(
            f"The record of {chapter} holds {len(others)} {runs} made with other parameters than the chapter and its profile "
            f"have now ({nearest}). Put the old values back, or make the whole record anew: companion record {chapter} --redo"
        )


def harvest(text, job, commit):
    """The recorded runs in an executed notebook, one dictionary each, with where they come from."""
    import nbformat

    rows = []
    for payload in payloads(nbformat.reads(text, as_version=4), "companion_record"):
        origin = {name: payload[name] for name in ("data", "versions", "machine")}
        date = today()
        for run in payload["runs"]:
            row = {"setting": run["setting"], "seed": run["seed"], "parameters": job.parameters, **origin}
            row |= {"device": run["history"]["device"], "commit": commit, "date": date}
            row |= {"extras": run["extras"]} if "extras" in run else {}
            rows.append({**row, "seconds": round(sum(run["history"]["seconds"]), 1), "history": run["history"]})
    if not rows:
        raise UserError(f"{job.chapter} ({job.name}): the notebook ran, but its output holds no recorded run.")
    return rows


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
        derived = (":(exclude)src/companion/records", ":(exclude)book/*.ipynb")
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


def _keep(root, job, text):
    import nbformat

    name = re.sub(r"[^\w.=-]+", "_", job.name)
    path = root / "_build" / "executed" / "full" / job.chapter / f"{name}.ipynb"
    chapters.write_notebook(nbformat.reads(text, as_version=4), path)


def _check_data(jobs):
    """Load each data set once before anything runs, so that a missing one is downloaded once, or named at once."""
    from companion import data

    for name in sorted({job.parameters["dataset"] for job in jobs if "dataset" in job.parameters}):
        try:
            data.load_dataset(name)
        except data.DataError as error:
            raise UserError(str(error)) from error


@contextmanager
def _executor(workers, scheduler):
    """Local worker processes, or those of a dask.distributed scheduler."""
    if scheduler is None:
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(workers, 61), mp_context=spawn, initializer=_end_with_parent) as pool:
            yield pool
        return
    try:
        from distributed import Client
    except ImportError:
        raise UserError("--scheduler needs dask.distributed: install it with `pip install distributed`.") from None
    try:
        client = Client(scheduler, timeout=20)
    except (OSError, ValueError) as error:
        raise UserError(f"There is no dask scheduler at {scheduler}: {error}") from None
    with client:
        yield client.get_executor(pure=False)


def _end_with_parent():
    """End this worker, and with it its kernel, when the command that started it is killed."""

    def watch():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
