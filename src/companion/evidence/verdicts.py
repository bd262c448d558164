"""Compares what was measured with the ledger.

The rules are written out, with their reasons, on the book's page "How the evidence is made".
"""

import math
from dataclasses import dataclass
from decimal import Decimal
from statistics import mean, stdev

from companion.evidence.digits import interval_text, number, together
from companion.evidence.ledger import find_claim

TEXT_STATUSES = ("supported", "not supported", "answered", "reproduced", "not tested")
CONFIDENCE = 0.95


class CountMismatch(AssertionError):
    """A recomputed count differs from the ledger's `correct`: a mistake of ours, not of the report."""


@dataclass(frozen=True)
class Verdict:
    """What became of a claim: its status, the measured value, and the evidence in words.

    `interval` is the 95 % prediction interval of one further run, widened by half the last printed digit, and
    `mean_interval` that of the mean; both only for metrics. `n` is the number of runs (or pairs of runs) behind it.
    """

    claim_id: str
    status: str
    measured: object = None
    evidence: str = ""
    n: int | None = None
    interval: tuple | None = None
    mean_interval: tuple | None = None


@dataclass(frozen=True)
class Comparison:
    """One paired comparison over seeds, or other `units`: `first` minus `second`, with its 95 % interval."""

    what: str
    expected: str
    status: str
    difference: float | None
    interval: tuple | None
    pointing: int
    n: int
    units: str = "seeds"

    def __str__(self):
        if self.n < 2:
            return f"{self.what}: {self.n} pairs of runs, too few"
        difference, low, high = together(self.difference, *self.interval, sign="+")
        return (
            f"{self.what} {self.expected}: difference {difference} ({low} to {high}), "
            f"in {self.pointing} of {self.n} {self.units}: {self.status}"
        )


def check_count(claim_id, computed):
    """Compare an exactly recomputed number (or list, tuple or array of numbers) with the report: "agrees" or "differs".

    A row whose report prints no figure is "reproduced". Raises CountMismatch when `computed` is not what the ledger holds to be correct.
    """
    claim, computed = find_claim(claim_id, "count"), _plain(computed)
    if claim.correct is not None and computed != claim.correct:
        raise CountMismatch(f"{claim_id}: recomputed {computed}, but the ledger says {claim.correct}")
    if claim.reported is None:  # the report prints no figure to compare with
        return Verdict(claim_id, "reproduced", computed, "recomputed exactly")
    status = "agrees" if _same_count(claim, claim.reported, computed) else "differs"
    return Verdict(claim_id, status, computed, "recomputed exactly")


def _plain(value):
    """Arrays and tuples as lists, and the numbers of NumPy and PyTorch as Python's own."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _same_count(claim, reported, computed):
    if isinstance(reported, list) != isinstance(computed, list):
        return False
    if isinstance(reported, list):
        return len(reported) == len(computed) and all(map(_same_count, [claim] * len(reported), reported, computed))
    if not claim.about or not reported:
        return reported == computed
    unit = 10 ** (len(str(reported)) - len(str(reported).rstrip("0")))  # of the last printed digit that is not 0
    return abs(reported - computed) <= unit / 2


def check_metric(claim_id, values):
    """Compare a report's one run with ours: "agrees" when it lies in the 95 % prediction interval of one further run.

    `values` is {seed: value} or a list. The interval is mean ± t·s·√(1 + 1/n), widened by half the last printed digit.
    Fewer than two runs give "not yet tested". Raises ValueError when a value is no finite number.
    """
    claim = find_claim(claim_id, "metric")
    if not isinstance(claim.reported, (int, Decimal)):
        raise ValueError(
            f"{claim_id} states {number(claim.reported) or 'no number'}, not one number: judge its parts apart"
        )
    return Verdict(claim_id, **_against(claim.reported, _numbers(claim_id, values)))


def check_metric_parts(claim_id, parts):
    """Compare a report's number, or its list of numbers, with several sets of our runs.

    `parts` is {what: values}, each compared with the one number, or {what: (number, values)}, where the number is one of the
    report's. "agrees" when every part does, "differs" when none does, otherwise "agrees in part"; each part is named.
    """
    claim = find_claim(claim_id, "metric")
    stated = claim.reported if isinstance(claim.reported, list) else [claim.reported]
    compared = {}
    for what, part in parts.items():
        reported, values = part if isinstance(part, tuple) else (claim.reported, part)
        if reported not in stated:
            raise ValueError(f"{claim_id} states {number(claim.reported)}, not {reported}")
        compared[what] = _against(reported, _numbers(f"{claim_id}, {what}", values))
    statuses = {part["status"] for part in compared.values()}
    if not parts or "not yet tested" in statuses:
        status = "not yet tested"
    else:
        status = statuses.pop() if len(statuses) == 1 else "agrees in part"
    evidence = "; ".join(f"{what}: {_part_text(part)}" for what, part in compared.items())
    return Verdict(claim_id, status, evidence=evidence, n=min((part["n"] for part in compared.values()), default=0))


def _part_text(part):
    if part["n"] < 2:
        return part["evidence"]
    centre, low, high = together(part["measured"], *part["interval"])
    return f"{centre}, one further run {low} to {high}, n = {part['n']}: {part['status']}"


def _against(reported, values):
    """Status, mean, evidence, n and the two intervals for a number that a report made by one run."""
    n = len(values)
    if n < 2:
        evidence = f"{n} recorded runs, too few for an interval"
        return {"status": "not yet tested", "measured": None, "evidence": evidence, "n": n}
    centre, spread = mean(values), _t(n) * stdev(values)
    half_digit = 0.5 * 10 ** Decimal(reported).as_tuple().exponent
    reach = spread * math.sqrt(1 + 1 / n) + half_digit
    interval = (centre - reach, centre + reach)
    mean_interval = (centre - spread / math.sqrt(n), centre + spread / math.sqrt(n))
    status = "agrees" if interval[0] <= float(reported) <= interval[1] else "differs"
    evidence = f"n = {n}; one further run: {interval_text(*interval)}; the mean: {interval_text(*mean_interval)}"
    names = ("status", "measured", "evidence", "n", "interval", "mean_interval")
    return dict(zip(names, (status, centre, evidence, n, interval, mean_interval), strict=True))


def smaller(what, first, second, units="seeds"):
    """The comparison that `first` is smaller than `second`; each is {seed: value}, paired by seed (or other `units`)."""
    return _compare(what, "smaller", first, second, lambda low, high: (high < 0, low > 0), lambda d: d < 0, units)


def larger(what, first, second, units="seeds"):
    """The comparison that `first` is larger than `second`; each is {seed: value}, paired by seed (or other `units`)."""
    return _compare(what, "larger", first, second, lambda low, high: (low > 0, high < 0), lambda d: d > 0, units)


def about_same(what, first, second, margin=0.02, units="seeds"):
    """The comparison that `first` and `second` differ by less than a margin that was named in advance."""

    def verdict(low, high):
        return -margin < low and high < margin, low > margin or high < -margin

    return _compare(what, f"about the same (within {margin})", first, second, verdict, lambda d: abs(d) < margin, units)


def _compare(what, expected, first, second, verdict, points, units):
    """`verdict(low, high)` says of the interval whether the claim holds and whether its opposite does."""
    one = dict(zip(first, _numbers(f"{what}, first of the two", first), strict=True))
    other = dict(zip(second, _numbers(f"{what}, second of the two", second), strict=True))
    seeds = sorted(set(one) & set(other))
    differences = [one[seed] - other[seed] for seed in seeds]
    n, pointing = len(seeds), sum(map(points, differences))
    if n < 2:
        return Comparison(what, expected, "not yet tested", None, None, pointing, n, units)
    centre, reach = mean(differences), _t(n) * stdev(differences) / math.sqrt(n)
    interval = (centre - reach, centre + reach)
    holds, reversed_ = verdict(*interval)
    status = "holds" if holds else "reversed" if reversed_ else "undecided"
    return Comparison(what, expected, status, centre, interval, pointing, n, units)


def check_order(claim_id, *comparisons):
    """Judge an ordering by its comparisons: it "holds" when all do; parts may differ, then it "holds in part"."""
    find_claim(claim_id, "order")
    statuses = {comparison.status for comparison in comparisons}
    if not comparisons or "not yet tested" in statuses:
        status = "not yet tested"
    elif len(statuses) == 1:
        (status,) = statuses
    else:
        status = "holds in part" if "holds" in statuses else "undecided"
    n = min((comparison.n for comparison in comparisons), default=0)
    return Verdict(claim_id, status, evidence="; ".join(map(str, comparisons)), n=n)


def judge(claim_id, status, evidence):
    """The verdict on a statement in words, with the evidence named."""
    find_claim(claim_id, "text")
    if status not in TEXT_STATUSES:
        raise ValueError(f"status {status!r} is none of {', '.join(TEXT_STATUSES)}")
    return Verdict(claim_id, status, evidence=evidence)


def _numbers(what, values):
    """The values of {seed: value} or of a list. Raises ValueError when one is no finite number, with the name of its run."""
    named = values.items() if isinstance(values, dict) else enumerate(values, start=1)
    numbers = []
    for name, value in named:
        plain = _plain(value)
        if not isinstance(plain, (int, float, Decimal)) or not math.isfinite(plain):
            which = (
                f"run number {name}" if not isinstance(values, dict) else f"seed {name}" if type(name) is int else name
            )
            raise ValueError(
                f"{what}: the value of {which} is {plain}, no finite number: look at that run before anything is compared "
                "(it may have diverged, or be a mean over no examples)"
            )
        numbers.append(plain)
    return numbers


def _t(n):
    from scipy.stats import t

    return float(t.ppf((1 + CONFIDENCE) / 2, n - 1))
