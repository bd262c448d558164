"""The page "What we learned": findings with their numbers, which kinds of claims hold, and how many seeds one needs.

The sentences are `book/findings.yml`; every number is read from the verdicts.
"""

from collections import Counter
from dataclasses import dataclass
from statistics import quantiles, stdev

from companion.evidence import power, strips
from companion.evidence.digits import together
from companion.evidence.ledger import Claim, load_claims
from companion.evidence.statuses import GROUPS, group_of
from companion.evidence.verdicts import Part
from companion.publish import UserError, project
from companion.publish.pages.rendering import render

KINDS = {"count": "counts", "metric": "numbers of a run", "order": "orderings", "text": "statements and explanations"}
KEYS = {"sentence", "claim", "part", "found"}
LEAD = 3  # findings on the front page
PAIRS = (3, 5, 10, 30)


@dataclass(frozen=True)
class Finding:
    """A sentence, and the part of a verdict on a claim that it rests on; `surprise` says what nobody expected, or is empty."""

    sentence: str
    claim: Claim
    part: Part
    surprise: str = ""

    @property
    def number(self):
        """The mean difference with its interval, in words."""
        centre, low, high = strips.spread(self.part.measured, self.part.interval, sign="+")
        return f"{centre} ({low} to {high}), {self.part.n} {self.part.units}"

    @property
    def sure(self):
        """How sure the part is, in words that follow from its p after correction and its number of pairs."""
        part = self.part
        if part.status == "undecided":
            return (
                f"open: about {part.needed:,} {part.units} would settle it"
                if part.needed
                else "open: runs will not settle it"
            )
        p = part.p_holm if part.p_holm is not None else part.p
        word = "very sure" if p < 0.001 else "sure" if p < 0.01 else "fairly sure" if p < 0.05 else "a hint"
        return f"{word}, for these data and networks"


def findings(root, verdicts):
    """The `Finding`s of `book/findings.yml`; raises UserError for one that its verdict does not bear."""
    import yaml

    path, claims = root / "book" / "findings.yml", load_claims()
    rows = yaml.safe_load(project.read_text(path)) if path.is_file() else []
    return [finding for row in rows if (finding := _finding(row, claims, verdicts))]


def _finding(row, claims, verdicts):
    where = f"book/findings.yml, {row.get('sentence', row)!r}"
    if not KEYS <= set(row) <= KEYS | {"surprise"}:
        raise UserError(f"{where}: a finding has {', '.join(sorted(KEYS))}, and may have a surprise.")
    if row["claim"] not in claims:
        raise UserError(f"{where}: the ledger has no claim {row['claim']!r}.")
    if row["claim"] not in verdicts:  # a book without that chapter
        return None
    parts = [part for part in verdicts[row["claim"]].parts if part.what == row["part"]]
    if len(parts) != 1:
        raise UserError(
            f"{where}: the verdict on {row['claim']} has {len(parts)} parts {row['part']!r}; it has to have one."
        )
    if parts[0].status != row["found"]:
        raise UserError(
            f"{where}: this part of the verdict on {row['claim']} is {parts[0].status!r} now, and the sentence was written for "
            f"{row['found']!r}: write it anew, or leave it out."
        )
    return Finding(row["sentence"], claims[row["claim"]], parts[0], row.get("surprise", ""))


def findings_html(root, verdicts):
    """All findings with pictures."""
    return render("learned_findings", findings=findings(root, verdicts), brief=False)


def lead_html(root, verdicts):
    """The first findings, for the front page."""
    return render("learned_findings", findings=findings(root, verdicts)[:LEAD], brief=True)


def kinds_html(verdicts):
    """What became of each kind of claim, as a table."""
    counts = {kind: Counter() for kind in KINDS}
    for claim in load_claims().values():
        if claim.id in verdicts:
            counts[claim.kind][group_of(verdicts[claim.id].status)] += 1
    groups = [group for group in GROUPS if group.key != "open" and any(found[group] for found in counts.values())]
    return render("learned_kinds", kinds=KINDS, counts=counts, groups=groups)


def scatters(verdicts):
    """The standard deviation of the differences of each comparison of accuracies over seeds: (quartile, median, quartile)."""
    parts = [part for verdict in verdicts.values() for part in verdict.parts]
    found = {
        tuple(part.values): stdev(part.values)
        for part in parts
        if part.units == "seeds"
        and part.n >= 3
        and part.reported is None
        and "accuracy" in part.what
        and part.status != "not yet tested"
    }
    return tuple(quantiles(found.values(), n=4)) if len(found) >= 4 else ()


def seeds_html(verdicts):
    """The smallest difference that can be seen, by number of pairs and scatter."""
    known = scatters(verdicts)
    if not known:
        return ""
    names = [
        f"{name} scatter, {together(scatter)[0]}"
        for name, scatter in zip(("calm", "middle", "wild"), known, strict=True)
    ]
    rows = [(pairs, [together(power.smallest_seen(pairs, scatter))[0] for scatter in known]) for pairs in PAIRS]
    return render("learned_seeds", names=names, rows=rows)
