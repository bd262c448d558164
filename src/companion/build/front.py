"""The front page's figures from the ledger, the lines under each title, and the files that a reader takes away."""

import html
import shutil
from collections import Counter, namedtuple

import companion
from companion.build import chapters

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


def fill_pages(book, verdicts, written):
    """Put what is computed into the staged pages that ask for it by a line `% name`."""
    from companion.build import ledger, site

    contents = {
        "front-page": lambda: front_html(verdicts),
        "verdicts-by-report": lambda: verdicts_by_report_html(verdicts),
        "errata-counts": lambda: ledger.wrong_counts_html(verdicts, written),
        "errata-statements": lambda: ledger.findings_html(verdicts, written, ("order", "text")),
        "errata-metrics": lambda: ledger.findings_html(verdicts, written, ("metric",)),
    }
    for page in sorted(book.glob("*.md")):
        for line in page.read_text(encoding="utf-8").splitlines():
            name = line.removeprefix("% ")
            if line.startswith("% ") and name in contents:
                site.fill(page, name, contents[name]())


# -------------------------------------------------------------------------------------------------- under each title


def provenance_html(notebook, chapter, record):
    """When, where and with what the page was computed, which recorded runs it shows, and what can be downloaded.

    The two lines that everybody reads stand open; versions, machines and commits are folded.
    """
    about = notebook.metadata["companion"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    lines = [f"<b>Live run:</b> {about['seconds']} s on {about['device'].upper()}, {about['date']}."]
    details = [f"Live run: {about['profile']} profile, {versions}, commit {about['commit']}."]
    files = [
        (f"../_sources/book/{chapter}.ipynb", "notebook (.ipynb)"),
        (f"../_sources/book/{chapter}.md", "text (.md)"),
    ]
    if record.runs:
        origins = [run.provenance for run in record.runs]
        dates = sorted({origin["date"] for origin in origins})
        hours = sum(origin["seconds"] for origin in origins) / 3600
        devices = sorted({origin["device"].upper() for origin in origins})
        names = sorted({origin["data"]["name"] for origin in origins})
        lines.append(
            f"<b>Recorded runs:</b> {len(origins)} on {', '.join(names)}, {hours:.1f} hours on {', '.join(devices)}, "
            f"{' to '.join(dict.fromkeys((dates[0], dates[-1])))}."
        )
        sources = sorted({f"{o['data']['name']} from {o['data']['source']}" for o in origins})
        machines = sorted({f"{o['device'].upper()} ({o['machine']})" for o in origins})
        details.append(
            f"Recorded runs: {', '.join(sources)}; {', '.join(machines)}; "
            f"PyTorch {', '.join(sorted({o['versions']['torch'] for o in origins}))}, "
            f"commit {', '.join(sorted({o['commit'] for o in origins}))}."
        )
        files += [(f"../records/{chapter}.json", "runs (JSON)"), (f"../records/{chapter}.csv", "runs (CSV)")]
    links = ", ".join(f'<a href="{address}" download>{name}</a>' for address, name in files)
    folded = "<br>\n".join(details)
    return (
        '<div class="provenance">\n' + "<br>\n".join(lines) + "\n"
        f"<details><summary>Versions, machines, commits</summary>\n{folded}\n</details>\n"
        f"<b>Download:</b> {links}.\n</div>"
    )


def publish_sources(root, built, names, solutions=True):
    """Lay the tracked notebook and its Markdown where the pages' download links lead: what the repository has, no more.

    Without solutions the notebook stays the one that the page shows, and the Markdown loses its solutions too.
    """
    import jupytext

    from companion.build import handout

    folder = built / "_sources" / "book"
    for name in names:
        if solutions:
            for path in (chapters.pair_path(root, name), root / "book" / f"{name}.md"):
                if path.is_file():
                    shutil.copy(path, folder / path.name)
        else:
            source = handout.without_solutions(chapters.read_source(root, name), name)
            (folder / f"{name}.md").write_text(jupytext.writes(source, "md:myst"), encoding="utf-8", newline="\n")
        page = built / "book" / f"{name}.html"
        text = page.read_text(encoding="utf-8")
        start = text.find(f'<li><a href="../_sources/book/{name}.ipynb"')
        end = text.find("</li>", start) + len("</li>")
        if start >= 0:  # the theme's menu offers the notebook; the Markdown comes beside it, and both as downloads
            item = text[start:end].replace(' target="_blank"', " download").replace("source file", "the notebook")
            other = (
                item.replace(f"{name}.ipynb", f"{name}.md")
                .replace(">.ipynb<", ">.md<")
                .replace("the notebook", "its text")
            )
            page.write_text(text[:start] + item + "\n" + other + text[end:], encoding="utf-8")
