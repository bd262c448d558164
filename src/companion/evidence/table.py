"""Verdicts as a table."""

import html
from dataclasses import asdict

from companion.evidence.digits import number
from companion.evidence.ledger import ledger_rows, load_claims
from companion.evidence.verdicts import SYMBOLS


def claims_table(verdicts):
    """Show one table with the verdict on every ledger row of the chapter.

    Raises ValueError when a row of the chapter is missing or judged twice. The verdicts travel in the output's metadata,
    from where the ledger page and `companion claims` collect them.
    """
    from IPython.display import display

    chapter = ledger_rows()[verdicts[0].claim_id].chapter
    judged = [verdict.claim_id for verdict in verdicts]
    missing = sorted(set(load_claims(chapter)) - set(judged))
    if missing or len(set(judged)) != len(judged) or len(judged) > len(load_claims(chapter)):
        raise ValueError(f"each row of {chapter} is judged exactly once; missing: {missing or 'none'}")
    rows = [table_row(ledger_rows()[verdict.claim_id], verdict) for verdict in verdicts]
    plain = "\n".join(f"{SYMBOLS[v.status]} {v.claim_id}: {v.status}" for v in verdicts)
    metadata = {"companion_claims": [asdict(verdict) for verdict in verdicts]}
    display({"text/html": table_html(rows), "text/plain": plain}, raw=True, metadata=metadata)


HEADINGS = ("What the report states", "Report", "Measured", "Verdict", "Evidence")


def table_row(claim, verdict):
    """The five cells of one claim, as HTML."""
    measured = number(verdict.measured)
    badge = f'<span class="verdict verdict-{verdict.status.replace(" ", "-")}">{SYMBOLS[verdict.status]} {verdict.status}</span>'
    evidence = "<br>".join(map(html.escape, verdict.evidence.split("; ")))
    return html.escape(claim.text), number(claim.reported, claim.about), measured, badge, evidence


def table_html(rows, headings=HEADINGS):
    """An HTML table of such rows, which scrolls sideways by itself on a narrow screen."""
    head = "".join(f"<th>{heading}</th>" for heading in headings)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="claims-table"><table class="table">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'
