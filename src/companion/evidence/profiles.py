"""The full profile of each chapter: the values of its recorded runs, which one line puts in place of the quick ones."""

from importlib.resources import files
from math import prod
from pathlib import Path

from companion import uses
from companion.evidence import records

FOLDER = Path(str(files("companion.evidence"))) / "profiles"


def profile(chapter):
    """The chapter's entry, from `profiles/<chapter>.yml`; an empty one when it has none."""
    import yaml

    uses.note("profiles", chapter)
    path = FOLDER / f"{chapter}.yml"
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}


def full_values(entry, defaults):
    """The values for a chapter run as a whole: those of every job, and the first box of the grid.

    A parameter that is a list takes the box's whole list, and keeps its defaults where the box leaves some to the record of
    another chapter: the page needs them. Any other takes the box's first value.
    """
    whole = dict(entry.get("parameters", {}))
    for name, values in (entry.get("grid") or [{}])[0].items():
        default = defaults[name]
        if isinstance(values[0], list):
            values = values[0]
        if not isinstance(default, list):
            whole[name] = values[0]
        elif set(default) <= set(values):
            whole[name] = values
        else:
            whole[name] = default + [value for value in values if value not in default]
    return whole


def use_full_profile(chapter, names):
    """Give the page's parameters the values of its recorded runs, and say what they are and how long it takes.

    `names` are the notebook's own: `use_full_profile("dropout", globals())`. Raises ValueError when the chapter has no full
    profile, or when its parameters have no values yet.
    """
    entry = profile(chapter)
    if not entry:
        raise ValueError(f"{chapter!r} has no full profile: what its page does is all there is to run.")
    wanted = [*entry.get("parameters", {}), *(entry.get("grid") or [{}])[0]]
    if missing := [name for name in wanted if name not in names]:
        raise ValueError(f"Run the parameters cell of {chapter} first: {', '.join(missing)} have no value yet.")
    values = full_values(entry, names)
    made = prod(len(values[name]) for name in (entry.get("grid") or [{}])[0] if isinstance(names[name], list))
    names.update(values)
    print("The full profile:", ", ".join(f"{name} = {value!r}" for name, value in values.items()))
    if runs := repeated_runs(chapter, names):
        trained = "The training alone" if len(runs) >= made else f"The training of {len(runs)} of its {made} runs"
        print(f"{trained} took {duration(runs)} when it was recorded ({machines(runs)}).")


def repeated_runs(chapter, values):
    """The recorded runs that the page makes again with these values: its own, and those it leaves to another chapter."""
    own = [run for run in records.load_record(chapter).runs if _covers(values, run.provenance["parameters"])]
    for other, setting in profile(chapter).get("elsewhere", {}).items():
        own += [run for run in records.load_record(other).select(**setting) if run.seed in values["seeds"]]
    return own


def duration(runs):
    """How long these runs trained, one after the other: "44 min", "2.5 h"."""
    minutes = sum(run.provenance["seconds"] for run in runs) / 60
    return f"{minutes:.0f} min" if minutes < 60 else f"{minutes / 60:.1f} h"


def machines(runs):
    """What these runs trained on: the kind of device and its name."""
    return ", ".join(sorted({f"{run.provenance['device'].upper()}, {run.provenance['machine']}" for run in runs}))


def _covers(values, parameters):
    """Whether a page with these values makes the run that was recorded with these parameters."""
    for name, recorded in records.identity(parameters).items():
        wanted = values.get(name)
        if not (all(value in wanted for value in recorded) if isinstance(wanted, list) else wanted == recorded):
            return False
    return True
