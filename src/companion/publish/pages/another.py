"""The box "Got another number?" below a chapter's verdicts: a reader's own number beside our runs (`book/scripts/another.js`)."""

import json

import nbformat
from markupsafe import Markup

from companion.evidence import comparing
from companion.publish.pages.rendering import render

CELL_TAG = "another-number"


def add_box(notebook, chapter, record):
    """Put the box below the cell that shows the chapter's verdicts, where it has recorded runs."""
    if not record.runs:
        return
    places = [i for i, cell in enumerate(notebook.cells) if _shows_verdicts(cell)]
    if places:
        text = "```{raw} html\n" + box_html(chapter, record) + "\n```"
        notebook.cells.insert(places[-1] + 1, nbformat.v4.new_markdown_cell(text, metadata={"tags": [CELL_TAG]}))


def _shows_verdicts(cell):
    return any("companion_claims" in output.get("metadata", {}) for output in cell.get("outputs", ()))


def box_html(chapter, record):
    """The box: what it says without its script, a table of where one more run would lie, and what the script needs."""
    found = comparing.readings(record)
    shown = [reading for reading in found if reading.kind == "last epoch" and reading.low is not None]
    shown = [reading for reading in shown if not reading.curve.startswith("running_")]
    data = json.dumps(payload(record), separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    return render(
        "another",
        chapter=chapter,
        rows=[(comparing.described(r.setting), str(r).rpartition(",")[0], r) for r in shown],
        data=Markup(data),
        call=f'compare(0.62, "{chapter}")',
    )


def payload(record):
    """All readings of a record for the script: settings as pairs of texts, and one row for each reading."""
    found = comparing.readings(record)
    settings, curves = [], []
    for reading in found:
        if reading.setting not in settings:
            settings.append(reading.setting)
        if reading.curve not in curves:
            curves.append(reading.curve)
    first = comparing.chosen(found, record.chapter, comparing.main_curve(curves), {})
    return {
        "settings": [[[name.replace("_", " "), str(value)] for name, value in sorted(s.items())] for s in settings],
        "curves": [[curve, str(comparing.Reading({}, curve, "", 0, 0)).rpartition(",")[0]] for curve in curves],
        "first": [settings.index(first.setting), curves.index(first.curve)],
        "readings": [
            [
                settings.index(reading.setting),
                curves.index(reading.curve),
                reading.kind,
                reading.n,
                reading.units,
                reading.precision if not reading.telling else None,
                int(reading.telling),
                *(
                    (reading.centre, reading.low, reading.high, reading.error, *reading.texts)
                    if reading.low is not None
                    else ()
                ),
            ]
            for reading in found
        ],
    }
