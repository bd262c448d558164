"""The ledger page with what its filters need."""

from companion.evidence.ledger import load_claims
from companion.evidence.statuses import GROUPS
from companion.evidence.verdicts import Verdict
from companion.publish.notebooks.chapters import title_of
from companion.publish.pages.counts import count
from companion.publish.pages.rendering import render

COLUMNS = {  # heading: how the script sorts the column; the interval does not sort
    "What the report states": "text",
    "Verdict": "text",
    "Report": "number",
    "Measured": "number",
    "n": "number",
    "95 % interval": "",
}
KINDS = {"count": "counts", "metric": "measured values", "order": "orderings", "text": "statements"}


def ledger_html(verdicts, written):
    """Every row of the ledger in one table, by report and chapter, with its verdict and a link to its chapter.

    `written` is {chapter: executed notebook}. The form above the table is shown by the page's script, which filters and sorts.
    """
    claims = load_claims().values()
    groups = {}
    for claim in claims:
        groups.setdefault((claim.report, claim.chapter), []).append(claim)
    verdicts = {claim.id: verdicts.get(claim.id, Verdict(claim.id, "not yet tested")) for claim in claims}
    counts = count(verdicts)
    titles = {name: title_of(notebook) for name, notebook in written.items()}
    values = {"columns": COLUMNS, "groups": groups, "verdicts": verdicts, "counts": counts, "titles": titles}
    return render("ledger", **values, filters=_filters(groups, titles), choices=_choices(counts.words))


def _filters(groups, titles):
    """{name of a filter: (its label, {value: what the reader chooses})}, but for the verdicts."""
    return {
        "report": ("Report", {report: f"Report {report}" for report, _ in groups}),
        "chapter": ("Chapter", {chapter: titles.get(chapter, chapter) for _, chapter in groups}),
        "kind": ("Kind", KINDS),
    }


def _choices(counts):
    """[(group, its verdicts that occur, how many rows they have together)], where there are any."""
    found = [(group, [status for status in group.statuses if counts[status]]) for group in GROUPS]
    return [(group, words, sum(counts[status] for status in words)) for group, words in found if words]
