"""The ledger page with what its filters need, and the errata page: mistakes and findings that did not hold."""

import html
import re
from collections import Counter

import companion
from companion.build import front

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
    counts = Counter(_verdict(claim, verdicts).status for rows in groups.values() for claim in rows)
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


def _verdict(claim, verdicts):
    from companion import claims

    return verdicts.get(claim.id, claims.Verdict(claim.id, "not yet tested"))


def _row(claim, verdicts):
    from companion import claims

    verdict = _verdict(claim, verdicts)
    facts = {"report": claim.report, "chapter": claim.chapter, "kind": claim.kind, "verdict": slug(verdict.status)}
    facts["group"] = front.group_of(verdict.status).key
    data = "".join(f' data-{name}="{value}"' for name, value in facts.items())
    cells = [
        f'<code>{claim.id}</code><span class="of-chapter"> {claim.chapter}</span>',
        *claims.table_row(claim, verdict)[:4],
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


# -------------------------------------------------------------------------------------------------- the errata page


def wrong_counts_html(verdicts, written):
    """Every number in the reports that counting settles and that is not the one printed: the mistakes proper."""
    from companion import claims

    counts = [
        claim for claim in companion.load_claims().values() if claim.kind == "count" and claim.reported is not None
    ]
    judged = [claim for claim in counts if claim.id in verdicts]
    rows = []
    for claim in counts:
        right = verdicts[claim.id].measured if claim.id in verdicts else claim.correct
        if claim.id in verdicts and verdicts[claim.id].status == "agrees":
            continue
        if right is None or (claim.id not in verdicts and right == claim.reported):
            continue
        off = f"{claim.reported - right:+,}".replace("-", "−") if isinstance(right, int) else ""
        reported, counted = claims.number(claim.reported, claim.about), claims.number(right)
        note = html.escape(claim.note[:1].upper() + claim.note[1:] + ". ") if claim.note else ""
        rows.append((_statement(claim), reported, counted, off, note + _explained(claim, written)))
    said = f"<p>Of {len(counts)} numbers that can be counted, {len(judged)} have been counted again; {len(rows)} differ.</p>\n"
    return said + claims.table_html(rows, ("What the report states", "Report", "Correct", "Off by", "What happened"))


def findings_html(verdicts, written, kinds):
    """The verdicts of these kinds that went against the report, or against a part of what it states."""
    from companion import claims

    chosen = [claim for claim in companion.load_claims().values() if claim.kind in kinds and claim.id in verdicts]
    rows = []
    for claim in chosen:
        verdict = verdicts[claim.id]
        if front.group_of(verdict.status).key in ("differ", "part"):
            _, reported, measured, badge = claims.table_row(claim, verdict)[:4]
            cells = (_statement(claim), reported, measured, badge, str(verdict.n or ""), interval(claim, verdict))
            rows.append((*cells, _explained(claim, written)))
    said = f"<p>{len(rows)} of {len(chosen)} that have been tested.</p>\n"
    headings = ("What the report states", "Report", "Measured", "Verdict", "n", "95 % interval", "Where")
    return said + claims.table_html(rows, headings)


def _statement(claim):
    return f'{html.escape(claim.text)} <a class="row-link" href="ledger.html#{claim.id}">{html.escape(claim.id)}</a>'


def _explained(claim, written):
    """A link to the place in the chapter where the verdict is shown and explained."""
    if claim.chapter not in written:
        return "Its chapter is still to come."
    return (
        f'<a href="{claim.chapter}.html#{verdicts_anchor(written[claim.chapter])}">{title(claim.chapter, written)}</a>'
    )


def verdicts_anchor(notebook):
    """The anchor of the heading under which a chapter shows its verdicts."""
    from docutils.nodes import make_id

    heading = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = (re.findall(r"^#+ (.+)$", cell.source, re.M) or [heading])[-1]
        elif any("companion_claims" in output.get("metadata", {}) for output in cell.get("outputs", [])):
            break
    return make_id(heading)
