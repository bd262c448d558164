"""The evidence: histories of real runs, carried by a notebook's outputs and kept as one JSON file per chapter."""

import json
import math
import platform
from dataclasses import dataclass, field
from importlib import metadata
from importlib.resources import files
from pathlib import Path

from companion import uses
from companion.training.history import History

FOLDER = Path(str(files("companion.evidence"))) / "records"


@dataclass(frozen=True)
class Run:
    """One training: what distinguishes it (`setting`, `seed`), its curves, and where it comes from.

    `extras` holds other measurements of the trained network, a number or a list of numbers each. `provenance` is empty for a
    live run; a recorded one names its parameters, data, versions, device, date and commit.
    """

    setting: dict
    seed: int
    history: History
    extras: dict = field(default_factory=dict)
    provenance: dict = field(default_factory=dict)

    @property
    def split(self):
        """The number of the split into training and validation; 0, the book's own, where the chapter has no choice of it."""
        return self.provenance.get("parameters", {}).get("split", 0)

    def last(self, metric):
        """The metric after the last epoch, in evaluation mode: the book's primary reading of a run."""
        return getattr(self.history, metric)[-1]


@dataclass(frozen=True)
class Record:
    """The recorded runs of a chapter, ordered by setting and seed."""

    chapter: str
    runs: tuple

    def select(self, split=0, **setting):
        """The runs on one split whose setting has these values, ordered by seed; `split=None` takes those on every split."""
        chosen = [run for run in self.runs if all(run.setting.get(name) == value for name, value in setting.items())]
        return sorted((run for run in chosen if split in (None, run.split)), key=lambda run: (run.split, run.seed))

    def values(self, metric, **setting):
        """{seed: the metric after the last epoch} of the runs with this setting, on the book's own split."""
        return {run.seed: run.last(metric) for run in self.select(**setting)}


def record(runs, splits):
    """Show the runs as a small table and hand their histories to the record keeper, inside this cell's output.

    Raises ValueError when a measurement is NaN or infinite, with the run and its name.
    """
    from IPython.display import display

    table = runs_table(runs)
    payload = {
        "data": {"name": splits.name, "fingerprint": splits.fingerprint, "source": splits.source},
        "versions": {
            "python": platform.python_version(),
            **{p: metadata.version(p) for p in ("torch", "numpy", "companion")},
        },
        "machine": machine(runs[0].history.device),
        "runs": [
            {"setting": run.setting, "seed": run.seed, "history": _rounded(run.history.to_row())}
            | ({"extras": _rounded(run.extras)} if run.extras else {})
            for run in runs
        ],
    }
    for row in payload["runs"]:
        check_finite(row)
    bundle = {"text/html": table.to_html(index=False, border=0), "text/plain": table.to_string(index=False)}
    display(bundle, raw=True, metadata={"companion_record": payload})


def runs_table(runs):
    """One row per run: its metrics after the last epoch, and the best epoch by one of them beside it. A pandas DataFrame.

    The best epoch is that of the highest validation accuracy, or else of the lowest error, or else of the lowest loss: of
    other metrics it is not known whether more is better.
    """
    import pandas as pd

    rows = []
    for run in runs:
        loss, *others = run.history.metrics
        metrics = [*others, loss]
        shown = [f"{part}_{metric}" for metric in metrics for part in ("train", "val")]
        chosen = next(metric for metric in metrics if _best_of(metric))
        digits = ".3f" if any(metric.endswith("accuracy") for metric in metrics) else ".4g"
        curve = getattr(run.history, f"val_{chosen}")
        best = _best_of(chosen)(range(run.history.epochs), key=curve.__getitem__)
        row = {**run.setting, "seed": run.seed, **{_words(m): f"{run.last(m):{digits}}" for m in shown}}
        rows.append({**row, f"best val {_words(chosen)}": f"{curve[best]:{digits}} (epoch {best + 1})"})
    return pd.DataFrame(rows)


def _words(name):
    return name.replace("_", " ")


def _best_of(metric):
    """`max` where more is better, `min` where less is, None where the name does not tell."""
    if metric.endswith("accuracy"):
        return max
    return min if metric in ("loss", "mae", "mse") or metric.endswith("error") else None


def load_record(chapter):
    """The chapter's recorded runs as a `Record`; one without runs when nothing has been recorded yet.

    Raises ValueError when two runs of one setting and seed were made with different parameters: they do not compare.
    """
    uses.note("records", chapter)
    path = record_path(chapter)
    if not path.is_file():
        return Record(chapter, ())
    runs = tuple(_run(row) for row in read(path)["runs"])
    seen = {}
    for run in runs:
        other = seen.setdefault((json.dumps(run.setting, sort_keys=True), run.split, run.seed), run)
        if other is not run:
            raise ValueError(
                f"the record of {chapter} holds two runs of {run.setting}, seed {run.seed}, made with other parameters: "
                f"{differences(other.provenance['parameters'], run.provenance['parameters'])}; "
                f"`companion record {chapter} --redo` makes the record anew"
            )
    return Record(chapter, runs)


def record_path(chapter):
    return FOLDER / f"{chapter}.json"


def read(path):
    """The JSON of the record at `path`. Raises ValueError where it is none, with what to do."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        if isinstance(content["runs"], list):
            return content
        reason = "its runs are no list"
    except KeyError:
        reason = "it holds no runs"
    except (ValueError, TypeError) as error:
        reason = str(error)
    raise ValueError(f"{path.name} cannot be read as a record ({reason}): mend it, or take it from git again")


def check_finite(row):
    """Raise ValueError when a measurement of this run, a row with "setting", "seed" and "history", is NaN or infinite."""
    for part, place in (("history", "in epoch"), ("extras", "at place")):
        for name, values in row.get(part, {}).items():
            for number, value in enumerate(values if isinstance(values, (list, tuple)) else [values], start=1):
                if isinstance(value, float) and not math.isfinite(value):
                    where = f" {place} {number}" if isinstance(values, (list, tuple)) else ""
                    raise ValueError(
                        f"the run of {row['setting']}, seed {row['seed']}, cannot be recorded: its {name} is {value}{where}, "
                        "no finite number (it may have diverged, or be a mean over no examples)"
                    )


def to_csv(record):
    """The record as CSV text: one line for each epoch of each run."""
    import pandas as pd

    several = any(run.split for run in record.runs)
    rows = [
        {
            **run.setting,
            **({"split": run.split} if several else {}),
            "seed": run.seed,
            "epoch": epoch,
            **dict(zip(run.history.curves, numbers, strict=True)),
        }
        | {"seconds": seconds}
        for run in record.runs
        for epoch, (*numbers, seconds) in enumerate(
            zip(*run.history.curves.values(), run.history.seconds, strict=True), start=1
        )
    ]
    return pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")


def identity(parameters):
    """What makes a run the same run: all its parameters but the device; and the split 0, which older runs do not name."""
    return {name: value for name, value in parameters.items() if name != "device" and (name, value) != ("split", 0)}


def differences(old, new):
    """How the parameters of two runs differ, in words: "epochs: 29 and 30"."""
    names = sorted(set(identity(old)) | set(identity(new)))
    return ", ".join(
        f"{name}: {old.get(name, 'none')} and {new.get(name, 'none')}"
        for name in names
        if old.get(name) != new.get(name)
    )


def _run(row):
    history = History.from_row(row["history"])
    provenance = {name: value for name, value in row.items() if name not in ("setting", "seed", "history", "extras")}
    return Run(row["setting"], row["seed"], history, row.get("extras", {}), provenance)


def _rounded(values):
    """Six significant digits: more than any comparison needs, and readable."""
    return {k: [float(f"{x:.6g}") for x in v] if isinstance(v, (tuple, list)) else v for k, v in values.items()}


def machine(device):
    if device == "cuda":
        import torch

        return torch.cuda.get_device_name()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
