"""What the page on the rules computes from the verdicts: an example drawn to scale, chance, pairs, and what runs would settle."""

from statistics import median

from companion.evidence.ledger import load_claims
from companion.evidence.verdicts import placebo
from companion.publish.pages.counts import count
from companion.publish.pages.rendering import render

EXAMPLE = (
    "A-depth1-acc-val",
    "A-drop50-acc-train",
    "A-depth3-acc-train",
)  # accuracies, so that one axis serves them all
LEFT, RIGHT, TOP, ROW = 12, 368, 44, 74  # of the drawing, in its units; it is made for the width of a phone


def example_html(verdicts):
    """Three numbers of the reports beside our runs, their mean's interval and that of one further run, on one axis."""
    claims = load_claims()
    chosen = [(claims[id], verdicts[id].parts[0]) for id in EXAMPLE if id in verdicts and verdicts[id].parts]
    chosen = [(claim, part) for claim, part in chosen if part.interval]
    if not chosen:
        return ""
    seen = [x for _, part in chosen for x in (*part.interval, *part.values, part.reported)]
    tenths = range(int(min(seen) * 10), int(-(-max(seen) * 10 // 1)) + 1)
    low, high = tenths[0] / 10, tenths[-1] / 10

    def at(value):
        return round(LEFT + (RIGHT - LEFT) * (value - low) / (high - low), 1)

    rows = [(claim, part, TOP + ROW * k) for k, (claim, part) in enumerate(chosen)]
    ticks = [(at(tenth / 10), f"{tenth / 10:.1f}") for tenth in tenths]
    return render("evidence_example", rows=rows, ticks=ticks, at=at, bottom=TOP + ROW * len(rows))


def chance_html(verdicts):
    """How many numbers would differ by chance, how many do, and what an "agrees" is worth."""
    agreeing = [verdict for verdict in verdicts.values() if verdict.status == "agrees" and verdict.interval]
    others = [found for found in map(placebo, agreeing) if found]
    return render(
        "evidence_chance", counts=count(verdicts), agreeing=len(others), others=[*map(sum, zip(*others, strict=True))]
    )


def pairs_html(verdicts):
    """How the two values of a pair with the same seed go together, over all comparisons."""
    parts = [part for part in order_parts(verdicts) if part[1].correlation is not None and part[1].units == "seeds"]
    found = sorted(part.correlation for _, part in parts)
    return render("evidence_pairs", found=found, middle=median(found)) if found else ""


def settle_html(verdicts):
    """The undecided parts of orderings, with the number of pairs that would decide each, the fewest first."""
    undecided = [(claim, part) for claim, part in order_parts(verdicts) if part.status == "undecided"]
    undecided.sort(key=lambda pair: (pair[1].needed is None, pair[1].needed))
    return render("evidence_settle", undecided=undecided)


def order_parts(verdicts):
    """(claim, part) for every comparison behind a verdict on an ordering."""
    claims = load_claims()
    orders = [(claims[id], verdict) for id, verdict in verdicts.items() if claims[id].kind == "order"]
    return [(claim, part) for claim, verdict in orders for part in verdict.parts if part.interval]
