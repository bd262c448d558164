"""Runs that others recorded on their machines: checked, kept apart by machine and device, and never part of a verdict.

They lie in `evidence/contributed/<chapter>--<device>-<machine>.json`, in the form of a record, where `load_record` does not look.
"""

import json
import re
from pathlib import Path

from companion.evidence import intervals, keeping, records
from companion.evidence.verdicts import LIMITS
from companion.publish import UserError
from companion.publish.notebooks import chapters, recorded_code
from companion.publish.notebooks.recording import plan_jobs
from companion.training.history import History

FOLDER = records.FOLDER.parent / "contributed"
ROW = {"setting": dict, "seed": int, "parameters": dict, "data": dict, "versions": dict, "machine": str}
ROW |= {"device": str, "date": str, "code": str, "seconds": (int, float), "history": dict}


def merge(root, path, folder=None):
    """Check the record at `path`, made by `companion record --folder`, and keep it beside ours: [(its new place, runs)].

    Raises UserError with all that is wrong, and then keeps nothing. A run that is there already is replaced.
    """
    path, folder = Path(path), Path(folder or FOLDER)
    try:
        content = records.read(path)
    except FileNotFoundError:
        raise UserError(
            f"{path} is not there: `companion record CHAPTER --folder FOLDER` writes such a file."
        ) from None
    except (ValueError, OSError) as error:
        raise UserError(f"{error}.") from None
    chapter = content.get("chapter")
    if chapter not in chapters.chapter_names(root):
        raise UserError(f"{path.name} is a record of {chapter!r}, and the book has no such chapter.")
    if problems := list(_problems(root, chapter, content)):
        raise UserError(f"{path.name} is not taken over:\n" + "\n".join(f"  - {problem}" for problem in problems[:20]))
    kept = {}
    for row in content["runs"]:
        kept.setdefault(folder / f"{chapter}--{slug(row['device'])}-{slug(row['machine'])}.json", []).append(row)
    for target, rows in kept.items():
        keeping.merge_runs(target, rows, content.get("code", {}))
    return [(target, len(rows)) for target, rows in kept.items()]


def slug(name):
    """A machine's name as a part of a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "unknown"


def _problems(root, chapter, content):
    """What is wrong with a record of this chapter, in sentences."""
    if not content["runs"]:
        yield "it holds no runs"
        return
    ours = keeping.read(records.record_path(chapter))
    planned = plan_jobs(chapter, chapters.parameters(chapters.read_source(root, chapter)))
    planned = [records.identity(job.parameters) for job in planned]
    prints = {row["data"]["name"]: row["data"]["fingerprint"] for row in ours["runs"]}
    same = {json.dumps(row["history"].get("val_loss")) for row in ours["runs"]}
    for number, row in enumerate(content["runs"], start=1):
        name = f"run {number}"
        if wrong := _form(row):
            yield f"{name}: {wrong}"
            continue
        name += f" ({row['setting']}, seed {row['seed']})"
        yield from (f"{name}: {problem}" for problem in _values(row))
        if records.identity(row["parameters"]) not in planned:
            yield f"{name}: its parameters are none of the chapter's grid, so it does not compare with our runs"
        if row["data"].get("fingerprint") != prints.get(row["data"].get("name"), row["data"].get("fingerprint")):
            yield f"{name}: its data {row['data'].get('name')!r} are others than ours (the fingerprints differ)"
        if json.dumps(row["history"].get("val_loss")) in same:
            yield f"{name}: it is one of our own runs, to the last digit"
    yield from _code(root, chapter, content, ours)


def _code(root, chapter, content, ours):
    """What is wrong with the code that made the runs: it has to be ours of today, or that of runs of ours; signatures do not count."""
    versions = content.get("code", {})
    for name in sorted({str(row.get("code")) for row in content["runs"] if isinstance(row, dict)}):
        version = versions.get(name) if isinstance(versions, dict) else None
        if not isinstance(version, dict) or not {"cells", "modules"} <= set(version):
            yield f"it does not hold the version {name} of the code that made its runs"
        elif recorded_code.name_of(version) != name:
            yield f"the version {name} of the code is not what its name says"
        elif name not in ours["code"] and (changed := recorded_code.changed_parts(root, chapter, version)):
            yield f"its runs were made by other code than there is now; other are {', '.join(changed)}"


def _form(row):
    """What is wrong with the form of a row; "" where nothing is."""
    if not isinstance(row, dict):
        return "it is no run"
    if missing := [key for key in ROW if key not in row]:
        return f"it has no {', '.join(missing)}"
    if wrong := [key for key, kind in ROW.items() if not isinstance(row[key], kind) or isinstance(row[key], bool)]:
        return f"its {', '.join(wrong)} cannot be read"
    try:
        history = History.from_row(row["history"])
        records.check_finite(row)
        return "" if history.epochs else "it has no curves"
    except (ValueError, TypeError) as error:
        return str(error)


def _values(row):
    """Values that no run can have."""
    history = History.from_row(row["history"])
    for curve, values in history.curves.items():
        least, most = LIMITS.get(curve.partition("_")[2].replace("_", " ")) or (None, None)
        if not all(isinstance(value, (int, float)) for value in values):
            yield f"its {curve} holds what is no number"
        elif (least is not None and min(values) < least) or (most is not None and max(values) > most):
            yield f"its {curve} leaves the range from {least} to {'any' if most is None else most}"
    if row["parameters"].get("epochs") not in (None, history.epochs) and isinstance(
        row["parameters"].get("epochs"), int
    ):
        yield f"it has {history.epochs} epochs, and its parameters say {row['parameters']['epochs']}"
    if row["device"] not in ("cpu", "cuda", "mps"):
        yield f"its device {row['device']!r} is none of cpu, cuda, mps"


def contributed(folder=None):
    """{chapter: [record content of each machine]} of all that was taken over."""
    found = {}
    for path in sorted(Path(folder or FOLDER).glob("*--*.json")):
        found.setdefault(path.stem.partition("--")[0], []).append(records.read(path))
    return found


def comparisons(chapter, content, metric="val_accuracy"):
    """(setting, our mean, n, their mean, n, low, high) of each setting: the 95 % interval of their mean minus ours, by Welch."""
    ours = records.load_record(chapter).runs
    rows = []
    settings = {json.dumps(row["setting"], sort_keys=True): row["setting"] for row in content["runs"]}
    for setting in settings.values():
        theirs = [
            row["history"][metric][-1]
            for row in content["runs"]
            if row["setting"] == setting and metric in row["history"]
        ]
        mine = [run.last(metric) for run in ours if run.setting == setting and metric in run.history.curves]
        if len(theirs) > 1 and len(mine) > 1:
            rows.append((setting, *_welch(mine, theirs)))
    return rows


def _welch(mine, theirs):
    from scipy.stats import ttest_ind

    interval = ttest_ind(theirs, mine, equal_var=False).confidence_interval(intervals.CONFIDENCE)
    return (
        sum(mine) / len(mine),
        len(mine),
        sum(theirs) / len(theirs),
        len(theirs),
        float(interval.low),
        float(interval.high),
    )
