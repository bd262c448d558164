"""All recorded runs, to be looked at: the page "Explore the runs", and a panel in each chapter (`book/scripts/explore.js`).

Each chapter's runs lie in a script of their own, `scripts/runs/<chapter>.js`, which is fetched when they are asked for: a page
opened from a file cannot fetch data in another form.
"""

import json
from decimal import Decimal

import nbformat
from markupsafe import Markup

from companion.evidence import comparing, statuses, verdicts
from companion.evidence.ledger import load_claims
from companion.evidence.records import Run, load_record
from companion.publish import project
from companion.publish.notebooks import chapters
from companion.publish.pages.rendering import render

CELL_TAG = "explore-runs"
FOLDER = "runs"  # below the site's scripts
BEST = {"accuracy": max, "binary_accuracy": max, "loss": min}  # by which a best epoch is chosen
REPORTED = ("agrees", "differs", statuses.TOO_WIDE)


def explore_html(titles):
    """The page's box, for all chapters with recorded runs; `titles` is {chapter: title}, the first is shown first."""
    listed = json.dumps(list(titles.items()), ensure_ascii=False).replace("<", "\\u003c")
    return render("explore", titles=Markup(listed), chapter="")


def add_panel(notebook, chapter, record):
    """Put a folded panel below the box for a reader's own number, or below the chapter's verdicts, where it has recorded runs."""
    places = [i for i, cell in enumerate(notebook.cells) if "another-number" in cell.metadata.get("tags", ())]
    if record.runs and places:
        text = "```{raw} html\n" + render("explore", titles="", chapter=chapter) + "\n```"
        notebook.cells.insert(places[-1] + 1, nbformat.v4.new_markdown_cell(text, metadata={"tags": [CELL_TAG]}))


def recorded(root):
    """{chapter: its title} of the chapters in the table of contents that have recorded runs."""
    return {name: chapters.title(root, name) for name in chapters.chapter_names(root) if load_record(name).runs}


def write_runs(record, folder, found):
    """Write a chapter's runs as a script into `folder`; `found` are all verdicts by claim."""
    folder.mkdir(parents=True, exist_ok=True)
    data = json.dumps(payload(record, found), separators=(",", ":"), ensure_ascii=False)
    project.write_whole(folder / f"{record.chapter}.js", f'companionRuns("{record.chapter}", {data});\n')


def payload(record, found=None):
    """The runs by setting, each with the values of all curves, and the reports' numbers that verdicts compared with them."""
    groups = grouped(record)
    curves = list(dict.fromkeys(curve for run in record.runs for curve in run.history.curves))
    kinds = ["last", *(curve for curve in curves if curve.startswith("val_") and curve.removeprefix("val_") in BEST)]
    settings = [
        {
            "name": name,
            "runs": [[run.seed, _unit(run), [run.history.curves.get(curve, ()) for curve in curves]] for run in runs],
        }
        for name, runs in groups.items()
    ]
    main = curves.index(comparing.main_curve(curves))
    most = max(groups.values(), key=len)
    return {
        "curves": [_described(curve, curves) for curve in curves],
        "kinds": [[kind, BEST.get(kind.removeprefix("val_")) is max] for kind in kinds],
        "first": [main, list(groups.values()).index(most)],
        "settings": settings,
        "claims": _claims(groups, curves, kinds, record.chapter, found or {}),
    }


def grouped(record):
    """{setting in words: its runs}, those on other splits apart, ordered by unit and seed; what no run varies is not said."""
    varying = {
        name
        for run in record.runs
        for name in run.setting
        if name != comparing.UNIT and len({str(other.setting.get(name)) for other in record.runs}) > 1
    }
    groups = {}
    for run in sorted(record.runs, key=lambda run: (bool(run.split), str(_unit(run)), run.split, run.seed)):
        words = comparing.described({name: value for name, value in run.setting.items() if name in varying})
        name = ", ".join(filter(None, [words, "other splits" if run.split else ""]))
        groups.setdefault(name or "all runs", []).append(run)
    return dict(sorted(groups.items(), key=lambda item: "other splits" in item[0]))


def value_at(run: Run, curve, kind):
    """The value of a curve after the last epoch, or after the epoch in which the validation curve `kind` was best (the first such).

    None where the run has no such curve.
    """
    values = run.history.curves.get(curve)
    if not values or (kind != "last" and kind not in run.history.curves):
        return None
    if kind == "last":
        return values[-1]
    chosen = run.history.curves[kind]
    return values[chosen.index(BEST[kind.removeprefix("val_")](chosen))]


def _unit(run):
    return run.setting.get(comparing.UNIT)


def _described(curve, curves):
    """A curve's name, its name in words, the ends of its range, and the precision that an interval needs to be telling."""
    metric = curve.partition("_")[2].replace("_", " ")
    words = str(comparing.Reading({}, curve, "", 0, 0)).rpartition(",")[0]
    classes = any(name.endswith("accuracy") for name in curves)
    precision = verdicts.PRECISION.get(metric.replace("binary ", "")) if classes else None
    return [curve, words, list(verdicts.LIMITS.get(metric) or (None, None)), precision]


def _claims(groups, curves, kinds, chapter, found):
    """The reports' numbers that verdicts compared with just these values: [setting, curve, kind, row, report, number, half a digit, precision]."""
    rows = []
    for claim in load_claims().values():
        parts = found[claim.id].parts if claim.kind == "metric" and claim.id in found else ()
        for part in parts:
            stated = [number for number in _numbers(claim.reported) if float(number) == part.reported]
            place = _place(part, groups, curves, kinds) if stated and part.status in REPORTED else None
            if place:
                precision = verdicts.PRECISION.get(claim.metric.replace("binary ", ""))
                half = float(Decimal(5).scaleb(Decimal(stated[0]).as_tuple().exponent - 1))
                rows.append([*place, claim.id, claim.id[0], str(stated[0]), half, precision])
    return rows


def _numbers(reported):
    return reported if isinstance(reported, list) else [reported]


def _place(part, groups, curves, kinds):
    """(setting, curve, kind) whose values are those of a verdict's part; None where none is."""
    values = sorted(part.values)
    for s, runs in enumerate(groups.values()):
        for c, curve in enumerate(curves):
            for k, kind in enumerate(kinds):
                found = [value_at(run, curve, kind) for run in runs]
                if None not in found and sorted(found) == values:
                    return s, c, k
    return None
