"""The front page: what the book found, from the ledger, and the table of chapters."""

from collections import Counter

from companion.evidence import profiles, records
from companion.evidence.ledger import load_claims
from companion.evidence.statuses import GROUPS, group_of
from companion.publish import project
from companion.publish.notebooks import chapters, execution
from companion.publish.pages.counts import count
from companion.publish.pages.rendering import render
from companion.publish.project import repository


def squares(verdicts):
    """{report: [(claim, its verdict's word)]} over the whole ledger, the verdicts' groups in the order of GROUPS."""
    found = {}
    for claim in load_claims().values():
        status = verdicts[claim.id].status if claim.id in verdicts else "not yet tested"
        found.setdefault(claim.report, []).append((claim, status))
    return {
        report: sorted(rows, key=lambda row: GROUPS.index(group_of(row[1]))) for report, rows in sorted(found.items())
    }


def front_html(verdicts):
    """The front page's first screen: what the book found, as numbers, as one square for each claim, and as a table."""
    return render("front", counts=count(verdicts), squares=squares(verdicts))


def verdicts_by_report_html(verdicts):
    """The figure of the front page as a table: reports by groups of verdicts, with sums."""
    counts = count(verdicts)
    return render("verdicts_by_report", reports=counts.reports, counts=counts.groups)


def chapters_html(root, verdicts, executed):
    """The chapters that exist: how many claims each judged, how many runs are recorded, how long its live and its full run take."""
    rows = [
        {
            "name": name,
            "title": chapters.title_of(notebook),
            "counts": Counter(verdicts[key].status for key in load_claims(name) if key in verdicts),
            "runs": len(records.load_record(name).runs),
            "seconds": notebook.metadata["companion"]["seconds"],
            "full_run": full_run(root, name),
        }
        for name, notebook in executed.items()
    ]
    return render("chapters", chapters=rows, launchers=project.launchers(repository(root)))


def full_run(root, chapter):
    """How long the chapter trains with the values of its recorded runs, by their own seconds; a dash where none are recorded."""
    defaults = chapters.parameters(chapters.read_source(root, chapter))
    values = {**defaults, **execution.profile_parameters(chapter, defaults)}
    runs = profiles.repeated_runs(chapter, values)
    devices = " and ".join(sorted({run.provenance["device"].upper() for run in runs}))
    return f"{profiles.duration(runs)} on {devices}" if runs else "–"
