"""The errata page: mistakes, and findings that did not hold."""

import html
import re

import companion
from companion.evidence import digits, table
from companion.publish.pages import front
from companion.publish.pages.ledger import interval, title


def wrong_counts_html(verdicts, written):
    """Every number in the reports that counting settles and that is not the one printed: the mistakes proper."""

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
        reported, counted = digits.number(claim.reported, claim.about), digits.number(right)
        note = html.escape(claim.note[:1].upper() + claim.note[1:] + ". ") if claim.note else ""
        rows.append((_statement(claim), reported, counted, off, note + _explained(claim, written)))
    said = f"<p>Of {len(counts)} numbers that can be counted, {len(judged)} have been counted again; {len(rows)} differ.</p>\n"
    return said + table.table_html(rows, ("What the report states", "Report", "Correct", "Off by", "What happened"))


def findings_html(verdicts, written, kinds):
    """The verdicts of these kinds that went against the report, or against a part of what it states."""

    chosen = [claim for claim in companion.load_claims().values() if claim.kind in kinds and claim.id in verdicts]
    rows = []
    for claim in chosen:
        verdict = verdicts[claim.id]
        if front.group_of(verdict.status).key in ("differ", "part"):
            _, reported, measured, badge = table.table_row(claim, verdict)[:4]
            cells = (_statement(claim), reported, measured, badge, str(verdict.n or ""), interval(claim, verdict))
            rows.append((*cells, _explained(claim, written)))
    said = f"<p>{len(rows)} of {len(chosen)} that have been tested.</p>\n"
    headings = ("What the report states", "Report", "Measured", "Verdict", "n", "95 % interval", "Where")
    return said + table.table_html(rows, headings)


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
