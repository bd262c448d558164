"""Runs the full profile of a chapter, one job for each setting and seed, and keeps the runs."""

import multiprocessing
import os
import re
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing, contextmanager
from dataclasses import dataclass

from companion.data import files, load_dataset
from companion.evidence import keeping, profiles
from companion.evidence.records import differences, identity
from companion.publish import UserError, disk_problem
from companion.publish.notebooks import chapters, recorded_code
from companion.publish.notebooks.execution import current_commit, default_workers, execute, payloads, today
from companion.publish.notebooks.recorded_code import accept, changed_code, job_notebook, record_file

__all__ = ["Job", "accept", "changed_code", "harvest", "job_notebook", "plan_jobs", "record_chapter"]


@dataclass(frozen=True)
class Job:
    """One (setting, seed) of a chapter's grid: the parameters that papermill injects, and all values in force."""

    chapter: str
    injected: dict
    parameters: dict

    @property
    def name(self):
        return " ".join(f"{key}={_said(value)}" for key, value in self.injected.items() if key != "device")


def _said(value):
    """A value in a job's name: the members of a list, also of none."""
    return (",".join(map(_said, value)) or "none") if isinstance(value, list) else str(value)


def plan_jobs(chapter, defaults, overrides=None):
    """The jobs of the chapter's grid, seed by seed so that an interrupted record is still balanced."""
    from sklearn.model_selection import ParameterGrid

    entry = profiles.profile(chapter)
    if not entry.get("grid"):
        raise UserError(f"{chapter} has no grid in its profile (evidence/profiles), so there is nothing to record.")
    jobs = []
    for values in ParameterGrid(entry["grid"]):
        injected = {**entry.get("parameters", {}), **values, **(overrides or {})}
        chapters.check_parameters(chapter, defaults, injected)
        for name, value in injected.items():
            if isinstance(defaults[name], list) and not isinstance(value, list):
                injected[name] = [value]
        jobs.append(Job(chapter, injected, {**defaults, **injected}))
    return sorted(jobs, key=lambda job: job.parameters.get("seeds", [0]))


def record_chapter(
    root, chapter, *, workers=None, scheduler=None, redo=False, overrides=None, folder=None, progress=None
):
    """Run the jobs of the chapter's grid that its record does not hold yet, and save each one as it ends.

    `overrides` replace profile values ({"epochs": 2}); `folder` is where the record lies, the package's own by default.
    A record that holds runs made with other parameters or by other code is refused, and so is one that another command is
    making; `redo` makes every run again and drops what does not belong to the grid.
    `progress(total, chapter)` returns a function called with each job's name and its error or None as the job ends.
    Returns (done before, done now, errors as sentences).
    """
    notebook = chapters.read_source(root, chapter)
    jobs = plan_jobs(chapter, chapters.parameters(notebook), overrides)
    target = record_file(chapter, folder)
    planned = [identity(job.parameters) for job in jobs]
    with _alone(chapter, target):
        todo = jobs if redo else _missing(root, chapter, jobs, target, folder)
        _check_data(todo)
        bar = progress(len(todo), chapter) if progress else None
        errors = []
        made = recorded_code.all_modules(), current_commit(root)
        with closing(_run(todo, job_notebook(notebook), workers, scheduler)) as results:
            for job, text, problem in results:
                problem = problem or _kept(root, job, text, target, *made)
                if problem:
                    errors.append(problem)
                if bar:
                    bar(job.name, problem)
        if redo and not errors:
            keeping.keep_runs(target, planned)
    return len(jobs) - len(todo), len(todo) - len(errors), errors


@contextmanager
def _alone(chapter, target):
    """Refuse to record while another command records the same chapter: both would run the same jobs."""
    from filelock import Timeout

    try:
        with keeping.held(target, "-recording", timeout=0):
            yield
    except Timeout:
        raise UserError(
            f"Another `companion record {chapter}` is at work on this record: let it end, or stop it first. "
            "What it has recorded is kept either way."
        ) from None


def _missing(root, chapter, jobs, target, folder):
    """The jobs that the record does not hold. Raises UserError where its runs do not go together with new ones."""
    try:
        recorded = keeping.recorded_parameters(target)
    except ValueError as error:
        raise UserError(f"{error}.") from None
    _refuse_other_parameters(chapter, recorded, [identity(job.parameters) for job in jobs])
    if changes := changed_code(root, chapter, folder):
        raise UserError("\n".join(changes))
    known = [identity(parameters) for parameters in recorded]
    return [job for job in jobs if identity(job.parameters) not in known]


def _refuse_other_parameters(chapter, recorded, planned):
    """Raise UserError when the record holds runs that the chapter and its profile would not make now."""
    others = [parameters for parameters in recorded if identity(parameters) not in planned]
    if others:
        runs = "run" if len(others) == 1 else "runs"
        nearest = min((differences(others[0], job) for job in planned), key=len)
        raise UserError(
            f"The record of {chapter} holds {len(others)} {runs} made with other parameters than the chapter and its profile "
            f"have now ({nearest}). Put the old values back, or make the whole record anew: companion record {chapter} --redo"
        )


def _run(jobs, notebook, workers, scheduler):
    """Yield (job, executed notebook as JSON text, None) or (job, None, sentence) for each job, in the order in which they end."""
    import nbformat

    text = nbformat.writes(notebook)
    with _executor(workers or default_workers(), scheduler) as pool:
        futures = {pool.submit(execute, text, job.injected, None, f"{job.chapter} ({job.name})"): job for job in jobs}
        try:
            for future in as_completed(futures):
                try:
                    result = futures[future], future.result(), None
                except UserError as error:
                    result = futures[future], None, str(error)
                yield result
        except BaseException:
            for future in futures:
                future.cancel()
            if isinstance(pool, ProcessPoolExecutor):
                for process in list(pool._processes.values()):  # their kernels end with them
                    process.terminate()
            raise


def _kept(root, job, text, target, before, commit):
    """Keep what a job has made; returns what was wrong with it, or None."""
    try:
        rows = harvest(text, job, before, commit)
        _keep(root, job, text)  # first: what the record holds is not run again
        keeping.merge_runs(target, *rows)
    except (UserError, ValueError) as error:
        return str(error)
    except OSError as error:
        return f"{job.chapter} ({job.name}): {disk_problem(error)}"


def harvest(text, job, before, commit):
    """The recorded runs in an executed notebook, one dictionary each, with where they come from, and {name: version} of the code.

    `before` are the hashes of all modules when the recording began. Raises UserError where one that the run loaded is another
    now: nobody knows then which of the two it was.
    """
    import nbformat

    notebook = nbformat.reads(text, as_version=4)
    modules = recorded_code.loaded(notebook, job.parameters)
    code = recorded_code.version_of(notebook, modules)
    if changed := [name for name in modules if name in before and code["modules"].get(name) != before[name]]:
        raise UserError(
            f"{job.chapter} ({job.name}): {', '.join(changed)} changed while the runs were being made, so this one is not kept; "
            f"run the command again."
        )
    name, rows = recorded_code.name_of(code), []
    for payload in payloads(notebook, "companion_record"):
        origin = {part: payload[part] for part in ("data", "versions", "machine")}
        for run in payload["runs"]:
            row = {"setting": run["setting"], "seed": run["seed"], "parameters": job.parameters, **origin}
            row |= {"device": run["history"]["device"], "commit": commit, "date": today(), "code": name}
            row |= {"extras": run["extras"]} if "extras" in run else {}
            rows.append({**row, "seconds": round(sum(run["history"]["seconds"]), 1), "history": run["history"]})
    if not rows:
        raise UserError(f"{job.chapter} ({job.name}): the notebook ran, but its output holds no recorded run.")
    return rows, {name: code}


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
        given = (str(files.data_folder().absolute()),)
        with ProcessPoolExecutor(min(workers, 61), spawn, _prepare_worker, given) as pool:
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


def _prepare_worker(data_folder):
    """Give this worker the absolute path of the data: its jobs run in scratch folders, where a relative one leads nowhere.

    And end it, and with it its kernel, when the command that started it is killed.
    """
    os.environ["COMPANION_DATA"] = data_folder

    def watch():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
