"""The verdicts that executed notebooks carry."""

import companion
from companion.evidence.verdicts import Verdict
from companion.publish.notebooks import chapters, execution


def collect_verdicts(notebooks):
    """{claim id: Verdict} out of the outputs of these notebooks."""

    rows = [row for nb in notebooks for payload in execution.payloads(nb, "companion_claims") for row in payload]
    return {row["claim_id"]: Verdict.from_row(row) for row in rows}


def committed_verdicts(root):
    """{claim id: Verdict} out of the committed notebooks."""
    paths = [chapters.pair_path(root, name) for name in chapters.chapter_names(root)]
    return collect_verdicts([chapters.read_notebook(path) for path in paths])


def claims_rows(root):
    """Every ledger row with its verdict, ready for JSON."""
    verdicts = committed_verdicts(root)
    rows = []
    for claim in companion.load_claims().values():
        verdict = verdicts.get(claim.id)
        row = {name: getattr(claim, name) for name in ("id", "report", "chapter", "kind", "text", "reported")}
        row["status"] = verdict.status if verdict else "not yet tested"
        for name in ("measured", "interval", "mean_interval", "n", "evidence"):
            row[name] = getattr(verdict, name) if verdict else None
        rows.append(row)
    return rows
