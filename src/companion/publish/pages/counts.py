"""How many claims the book has, and what became of them: the one place where README, front page and ledger count."""

from collections import Counter
from dataclasses import dataclass

from companion.evidence import intervals
from companion.evidence.ledger import load_claims
from companion.evidence.statuses import CONTRADICTED, GROUPS, OPEN, group_of


@dataclass(frozen=True)
class Counts:
    """`reports` is {report: {group: how many of its claims}}, `groups` the same of all reports, in the order of GROUPS.

    `findings` counts what was contradicted once where several rows say the same: the numbers of one network, the counts of one
    chapter. `numbers` are the comparisons of a report's number with an interval, of which `differing` differ, `surviving` of
    them even after Holm's correction for them all, and `expected` would if every report were right.
    """

    reports: dict
    groups: dict
    words: Counter
    findings: int
    numbers: int
    differing: int
    surviving: int

    @property
    def total(self):
        return sum(self.groups.values())

    @property
    def tested(self):
        return sum(n for group, n in self.groups.items() if group.key != "open")

    @property
    def contradicted(self):
        return sum(n for group, n in self.groups.items() if group.key in CONTRADICTED)

    @property
    def expected(self):
        return (1 - intervals.CONFIDENCE) * self.numbers


def count(verdicts=None):
    """The counts of the whole ledger with these verdicts, {claim id: Verdict}; a claim without one is not yet tested."""
    verdicts = verdicts or {}
    reports, words, found = {}, Counter(), set()
    for claim in load_claims().values():
        status = verdicts[claim.id].status if claim.id in verdicts else OPEN
        words[status] += 1
        reports.setdefault(claim.report, Counter())[group_of(status)] += 1
        if group_of(status).key in CONTRADICTED:
            found.add(finding_of(claim))
    ps = [part.p for part in number_parts(verdicts) if part.p is not None]
    differing, surviving = (sum(p < 1 - intervals.CONFIDENCE for p in some) for some in (ps, intervals.holm(ps)))
    together = sum(reports.values(), Counter())
    ordered = {report: _in_order(groups) for report, groups in sorted(reports.items())}
    return Counts(ordered, _in_order(together), words, len(found), len(ps), differing, surviving)


def finding_of(claim):
    """What rows have in common that stand or fall together: the counts of a chapter, the numbers of one network."""
    if claim.kind == "count":
        return claim.report, claim.chapter
    return (claim.report, claim.dataset, claim.setup) if claim.kind == "metric" else claim.id


def number_parts(verdicts):
    """The parts of the verdicts in which a number of a report was compared with an interval."""
    kinds = {claim.id: claim.kind for claim in load_claims().values()}
    return [part for id, verdict in verdicts.items() if kinds.get(id) == "metric" for part in verdict.parts]


def _in_order(groups):
    return {group: groups[group] for group in GROUPS if groups[group]}
