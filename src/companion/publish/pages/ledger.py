"""The ledger page with what its filters need."""

import html
from collections import Counter

import companion
from companion.evidence import table
from companion.evidence.verdicts import Verdict
from companion.publish.pages import front

COLUMNS = {  # heading: how the script sorts the column; the interval does not sort
    "Row": "text",
    "What the report states": "text",
    "Report": "number",
    "Measured": "number",
    "Verdict": "text",
    "n": "number",
    "95 % interval": "",
}
KINDS = {"count": "counts", "metric": "measured values", "order": "orderings", "text": "statements"}


def ledger_html(verdicts, written):
    """Every row of the ledger in one table, by report and chapter, with its verdict and a link to its chapter.

    `written` is {chapter: executed notebook}. The form above the table is shown by the page's script, which filters and sorts.
    """
    groups = {}
    for claim in companion.load_claims().values():
        groups.setdefault((claim.report, claim.chapter), []).append(claim)
    counts = Counter(verdict_of(claim, verdicts).status for rows in groups.values() for claim in rows)
    head = "".join(f'<th scope="col" data-sort="{sort}">{name}</th>' for name, sort in COLUMNS.items())
    bodies = []
    for (report, chapter), rows in groups.items():
        name = (
            f'<a href="{chapter}.html">{title(chapter, written)}</a>' if chapter in written else f"{chapter} (to come)"
        )
        heading = f'<tr class="group"><th colspan="{len(COLUMNS)}" scope="rowgroup">Report {report}: {name}</th></tr>'
        bodies.append("<tbody>\n" + "\n".join([heading, *(_row(claim, verdicts) for claim in rows)]) + "\n</tbody>")
    total = sum(counts.values())
    return (
        f"<p>{total} rows: "
        + ", ".join(f"{n} × {status}" for status, n in counts.most_common())
        + ".</p>\n"
        + _form(groups, counts, written)
        + f'<p id="ledger-count" role="status" hidden>{total} of {total} rows.</p>\n'
        + f'<div class="claims-table"><table class="table" id="ledger-table">\n<thead><tr>{head}</tr></thead>\n'
        + "\n".join(bodies)
        + '\n</table></div>\n<script src="../scripts/ledger.js"></script>'
    )


def verdict_of(claim, verdicts):

    return verdicts.get(claim.id, Verdict(claim.id, "not yet tested"))


def _row(claim, verdicts):

    verdict = verdict_of(claim, verdicts)
    facts = {"report": claim.report, "chapter": claim.chapter, "kind": claim.kind, "verdict": slug(verdict.status)}
    facts["group"] = front.group_of(verdict.status).key
    data = "".join(f' data-{name}="{value}"' for name, value in facts.items())
    cells = [
        f'<code>{claim.id}</code><span class="of-chapter"> {claim.chapter}</span>',
        *table.table_row(claim, verdict)[:4],
    ]
    cells += [str(verdict.n or ""), interval(claim, verdict)]
    return f'<tr id="{claim.id}"{data}>' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def slug(words):
    return words.replace(" ", "-")


def title(chapter, written):
    """A chapter's title as HTML."""
    return html.escape(written[chapter].cells[0].source.partition("\n")[0].lstrip("# "))


def _form(groups, counts, written):
    """The filters; hidden until the script of the page shows them, so that a page without scripts promises nothing."""
    reports = {report: f"Report {report}" for report, _ in groups}
    names = {chapter: title(chapter, written) if chapter in written else chapter for _, chapter in groups}
    together = [group for group in front.GROUPS if any(counts[status] for status in group.statuses)]
    every = "".join(
        f'<option value="any-{group.key}">{group.symbol} {_any(group, counts)}</option>' for group in together
    )
    single = "".join(f'<option value="{slug(status)}">{status} ({n})</option>' for status, n in counts.most_common())
    verdict = f'<optgroup label="Groups">{every}</optgroup><optgroup label="Single verdicts">{single}</optgroup>'
    selects = {
        "report": ("Report", _options(reports)),
        "chapter": ("Chapter", _options(names)),
        "kind": ("Kind", _options(KINDS)),
        "verdict": ("Verdict", verdict),
    }
    fields = "".join(
        f'<label>{label} <select name="{name}"><option value="">all</option>{options}</select></label>\n'
        for name, (label, options) in selects.items()
    )
    return (
        f'<form id="ledger-filter" class="ledger-filter" aria-label="Filter the rows" hidden>\n{fields}'
        '<label>Words <input type="search" name="words" autocomplete="off" placeholder="such as dropout loss"></label>\n'
        '<button type="reset">Show all</button>\n</form>\n'
    )


def _options(names):
    return "".join(f'<option value="{value}">{name}</option>' for value, name in names.items())


def _any(group, counts):
    words = [status for status in group.statuses if counts[status]]
    return f"{' or '.join(words)} ({sum(counts[status] for status in words)})"


def interval(claim, verdict):
    """The interval of one further run; for an ordering, a statement or a number in parts, the evidence to be folded out."""
    if verdict.interval:
        return "{:.3f} to {:.3f}".format(*verdict.interval)
    if claim.kind == "count" or not verdict.evidence:
        return ""
    lines = "<br>".join(map(html.escape, verdict.evidence.split("; ")))
    summary = {"order": "by pairs", "metric": "by part"}.get(claim.kind, "evidence")
    return f"<details><summary>{summary}</summary>{lines}</details>"
