"""The errata page: mistakes, and findings that did not hold."""

import re
from dataclasses import replace
from decimal import Decimal

from companion.evidence.ledger import load_claims
from companion.evidence.statuses import CONTRADICTED, group_of
from companion.publish.notebooks.chapters import title_of
from companion.publish.pages.rendering import render


def wrong_counts_html(verdicts, written):
    """Every number in the reports that counting settles and that is not the one printed: the mistakes proper."""
    claims = [c for c in load_claims().values() if c.kind == "count" and c.reported is not None]
    judged = [claim for claim in claims if claim.id in verdicts]
    wrong = [(claim, right, _off(claim, right)) for claim in claims for right in _corrections(claim, verdicts)]
    return render("wrong_counts", claims=claims, judged=judged, wrong=wrong, places=_places(written))


def _corrections(claim, verdicts):
    """The right number in place of a claim's, in a list; [] when the claim is right, or nobody knows yet."""
    if claim.id in verdicts:
        verdict = verdicts[claim.id]
        return [] if verdict.status == "agrees" or verdict.measured is None else [verdict.measured]
    return [] if claim.correct in (None, claim.reported) else [claim.correct]


def _off(claim, right):
    """The report's number minus the right one, of each where there are several."""
    if isinstance(right, list):
        return ", ".join(
            _off(replace(claim, reported=one), other) for one, other in zip(claim.reported, right, strict=True)
        )
    difference = claim.reported - (right if isinstance(right, int) else Decimal(right))
    return f"{difference:+,}".replace("-", "−")


def findings_html(verdicts, written, kinds):
    """The verdicts of these kinds that contradict what the report states, or a part of it; undecided is no error."""
    chosen = [c for c in load_claims().values() if c.kind in kinds and c.id in verdicts]
    against = [
        (claim, verdicts[claim.id]) for claim in chosen if group_of(verdicts[claim.id].status).key in CONTRADICTED
    ]
    return render("findings", tested=len(chosen), against=against, places=_places(written))


def _places(written):
    """{chapter: its title, and the anchor of its verdicts}."""
    return {name: {"title": title_of(nb), "anchor": verdicts_anchor(nb)} for name, nb in written.items()}


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
