"""Runs the full profile of a chapter, one job for each setting and seed, and keeps the runs."""

import copy
import itertools
import multiprocessing
import os
import re
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from companion.data import files, load_dataset
from companion.evidence import profiles, records
from companion.publish import UserError
from companion.publish.notebooks import chapters
from companion.publish.notebooks.execution import current_commit, default_workers, execute, payloads, today


@dataclass(frozen=True)
class Job:
    """One (setting, seed) of a chapter's grid: the parameters that papermill injects, and all values in force."""

    chapter: str
    injected: dict
    parameters: dict

    @property
    def name(self):
        return " ".join(f"{k}={v[0] if isinstance(v, list) else v}" for k, v in self.injected.items() if k != "device")


def plan_jobs(chapter, defaults, overrides=None):
    """The jobs of the chapter's grid, seed by seed so that an interrupted record is still balanced."""
    entry, overrides = profiles.profile(chapter), overrides or {}
    if not entry.get("grid"):
        raise UserError(f"{chapter} has no grid in its profile (evidence/profiles), so there is nothing to record.")
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

    notebook = chapters.read_source(root, chapter)
    jobs = plan_jobs(chapter, chapters.parameters(notebook), overrides)
    target = Path(folder or records.FOLDER) / f"{chapter}.json"
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


def _keep(root, job, text):
    import nbformat

    name = re.sub(r"[^\w.=-]+", "_", job.name)
    path = root / "_build" / "executed" / "full" / job.chapter / f"{name}.ipynb"
    chapters.write_notebook(nbformat.reads(text, as_version=4), path)


def _check_data(jobs):
    """Load each data set once before anything runs, so that a missing one is downloaded once, or named at once."""

    for name in sorted({job.parameters["dataset"] for job in jobs if "dataset" in job.parameters}):
        try:
            load_dataset(name)
        except files.DataError as error:
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
