"""The front page: what the book found, from the ledger, and the table of chapters."""

import html
from collections import Counter, namedtuple

import companion
from companion.evidence import profiles, records, table
from companion.publish import project
from companion.publish.notebooks import chapters, execution
from companion.publish.project import repository

Group = namedtuple("Group", "key name symbol statuses words")
GROUPS = (  # every status in one of them; `key` is the CSS class and the ledger page's filter
    Group(
        "agree",
        "agree",
        "✓",
        ("agrees", "holds", "supported"),
        "numbers that could be one of our runs, orders that hold",
    ),
    Group("answered", "answered", "✓", ("answered", "reproduced"), "a question or a proposal that we tried out"),
    Group("part", "in part", "◐", ("agrees in part", "holds in part"), "some of their parts hold and others do not"),
    Group("undecided", "undecided", "?", ("undecided",), "our runs point neither way"),
    Group("differ", "differ", "✗", ("differs", "reversed", "not supported"), "our runs say otherwise"),
    Group("open", "not yet tested", "–", ("not tested", "not yet tested"), "their chapters are still to come"),
)
TESTED = ("agree", "answered", "part", "undecided", "differ")


def group_of(status):
    """The group that a verdict's word belongs to."""
    (group,) = [group for group in GROUPS if status in group.statuses]
    return group


def tally(verdicts):
    """{report: [the group of each of its claims, in the order of GROUPS]} over the whole ledger."""
    found = {}
    for claim in companion.load_claims().values():
        status = verdicts[claim.id].status if claim.id in verdicts else "not yet tested"
        found.setdefault(claim.report, []).append(group_of(status))
    return {report: sorted(groups, key=GROUPS.index) for report, groups in sorted(found.items())}


def front_html(verdicts):
    """The front page's first screen: what the book found, as numbers, as one square for each claim, and as a table."""
    reports = tally(verdicts)
    counts = Counter(group.key for groups in reports.values() for group in groups)
    total, tested = sum(counts.values()), sum(counts[key] for key in TESTED)
    present = [group for group in GROUPS if counts[group.key]]
    tiles = [f'<li><a href="ledger.html"><b>{tested}</b> <span>of {total} claims tested</span></a></li>']
    for group in present:
        if group.key in ("agree", "part", "differ"):
            link = f'<a href="ledger.html?verdict=any-{group.key}"><b>{counts[group.key]}</b> <span>{group.name}</span></a>'
            tiles.append(f'<li class="is-{group.key}">{link}</li>')
    rows = "".join(_squares(report, groups) for report, groups in reports.items())
    legend = "".join(
        f'<li title="{html.escape(group.words)}"><i class="claim is-{group.key}" aria-hidden="true">{group.symbol}</i> '
        f"{counts[group.key]} {group.name}</li>"
        for group in present
    )
    return (
        f'<div class="front">\n<ul class="front-numbers">{"".join(tiles)}</ul>\n'
        f'<figure class="front-claims" aria-label="One square for each claim, report by report">\n{rows}'
        f'<figcaption><ul class="front-legend">{legend}</ul></figcaption>\n</figure>\n</div>'
    )


def _squares(report, groups):
    """One report's line of the figure: its name, which leads to its rows, and a square for each claim."""
    counts = Counter(group.name for group in groups)
    words = ", ".join(f"{n} {name}" for name, n in counts.items())
    squares = "".join(f'<i class="claim is-{group.key}">{group.symbol}</i>' for group in groups)
    return (
        f'<p><a href="ledger.html?report={report}"><span>Report </span>{report}</a> '
        f'<span class="squares" role="img" aria-label="{len(groups)} claims: {words}">{squares}</span></p>\n'
    )


def verdicts_by_report_html(verdicts):
    """The figure of the front page as a table: reports by groups of verdicts, with sums."""
    reports = tally(verdicts)
    present = [group for group in GROUPS if any(group in groups for groups in reports.values())]
    head = "".join(f'<th scope="col">{name}</th>' for name in ["Report", *(g.name for g in present), "claims"])
    lines = {f'<a href="ledger.html?report={report}">{report}</a>': groups for report, groups in reports.items()}
    lines["all"] = [group for groups in reports.values() for group in groups]
    body = ""
    for name, groups in lines.items():
        numbers = [sum(group == column for group in groups) for column in present]
        body += (
            f'<tr><th scope="row">{name}</th>'
            + "".join(f"<td>{n or ''}</td>" for n in [*numbers, len(groups)])
            + "</tr>\n"
        )
    table = f'<table class="table">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table>'
    return f'<div class="claims-table by-report">{table}</div>'


def _tally(counts):
    return ", ".join(f"{n} × {status}" for status, n in counts.most_common())


def chapters_html(root, verdicts, executed):
    """The chapters that exist: how many claims each judged, how many runs are recorded, how long its live and its full run take."""

    rows = []
    for name, notebook in executed.items():
        title = notebook.cells[0].source.partition("\n")[0].lstrip("# ")
        counts = Counter(verdicts[key].status for key in companion.load_claims(name) if key in verdicts)
        tally = _tally(counts)
        seconds, runs = notebook.metadata["companion"]["seconds"], len(records.load_record(name).runs)
        places = project.launchers(repository(root)).items()
        links = " ".join(f'<a href="{prefix}book/{name}.ipynb">{place}</a>' for place, prefix in places)
        row = (f'<a href="{name}.html">{html.escape(title)}</a>', tally, str(runs or "–"), f"{seconds} s")
        rows.append((*row, full_run(root, name), links))
    headings = ("Chapter", "What became of the report's claims", "Recorded runs", "Live run", "Full run", "Open in")
    return table.table_html(rows, headings)


def full_run(root, chapter):
    """How long the chapter trains with the values of its recorded runs, by their own seconds; a dash where none are recorded."""
    defaults = chapters.parameters(chapters.read_source(root, chapter))
    values = {**defaults, **execution.profile_parameters(chapter, defaults)}
    runs = profiles.repeated_runs(chapter, values)
    devices = " and ".join(sorted({run.provenance["device"].upper() for run in runs}))
    return f"{profiles.duration(runs)} on {devices}" if runs else "–"
