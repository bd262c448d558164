"""Compares what was measured with the ledger.

The rules are written out, with their reasons, on the book's page "How the evidence is made"; `intervals` holds the statistics.
"""

import math
from dataclasses import dataclass, replace
from decimal import Decimal

from companion.evidence import intervals, statuses
from companion.evidence.digits import interval_text, number, together
from companion.evidence.ledger import find_claim, ledger_rows

TEXT_STATUSES = ("supported", "not supported", "undecided", "answered", "reproduced", "not tested")
PRECISION = {"accuracy": 0.05, "loss": 0.15, "best epoch": 3}  # half a width; wider intervals are too wide to tell
LIMITS = {
    "accuracy": (0, 1),
    "binary accuracy": (0, 1),
    "loss": (0, None),
    "mse": (0, None),
    "errors out of 10000": (0, 10_000),
}


class CountMismatch(AssertionError):
    """A recomputed count differs from the ledger's `correct`: a mistake of ours, not of the report."""


@dataclass(frozen=True)
class Part:
    """One comparison behind a verdict; a single number's verdict has one.

    Of a number, `reported` is the report's, `measured` our mean, `interval` the 95 % interval of one further run and
    `mean_interval` that of the mean, `values` the runs, `limits` the range that the value cannot leave (None: no limit), and
    `half_digit` says that it agrees only since half of the last printed digit is allowed. Of an ordering, `measured` and
    `interval` are the mean difference and its 95 % interval, `values` the differences, `pointing` says in how many units the
    difference points as stated, `margin` is what "about the same" allows, `correlation` that of the two values within a pair,
    and `needed` the n that would decide it with 80 % power. `p` is that of the decision, `p_holm` the same corrected for all
    parts of the claim. Plain values only: parts travel as JSON.
    """

    what: str
    status: str
    expected: str = ""
    reported: float | None = None
    measured: float | None = None
    interval: tuple | None = None
    mean_interval: tuple | None = None
    n: int = 0
    units: str = "seeds"
    pointing: int | None = None
    p: float | None = None
    p_holm: float | None = None
    needed: int | None = None
    half_digit: bool = False
    correlation: float | None = None
    values: tuple = ()
    limits: tuple | None = None
    margin: float | None = None


@dataclass(frozen=True)
class Verdict:
    """What became of a claim: its status, the measured value, the evidence in words, and its parts.

    `interval` is the 95 % prediction interval of one further run, widened by half the last printed digit, and
    `mean_interval` that of the mean; both only for a metric in one part. `n` is the number of runs (or pairs of runs) behind it.
    """

    claim_id: str
    status: str
    measured: object = None
    evidence: str = ""
    n: int | None = None
    interval: tuple | None = None
    mean_interval: tuple | None = None
    parts: tuple = ()

    @classmethod
    def from_row(cls, row):
        """The verdict whose `asdict` was written as JSON."""
        return cls(**{**row, "parts": tuple(Part(**part) for part in row.get("parts", ()))})


class Comparison(Part):
    """The part of an ordering, which says itself in words."""

    @property
    def difference(self):
        """`first` minus `second`, in the mean over the pairs."""
        return self.measured

    def __str__(self):
        if self.n < 2:
            return f"{self.what}: {self.n} pairs of runs, too few"
        difference, low, high = together(self.measured, *self.interval, sign="+")
        more = ""
        if self.status == "undecided":
            more = (
                f" (about {self.needed:,} would decide)"
                if self.needed
                else f" (not even {intervals.MOST:,} would decide)"
            )
        return (
            f"{self.what} {self.expected}: difference {difference} ({low} to {high}), "
            f"in {self.pointing} of {self.n} {self.units}: {self.status}{more}"
        )


def check_count(claim_id, computed):
    """Compare an exactly recomputed number (or list, tuple or array of numbers) with the report: "agrees" or "differs".

    A row whose report prints no figure is "reproduced". Raises CountMismatch when `computed` is not what the ledger holds to be correct.
    """
    claim, computed = find_claim(claim_id, "count"), _plain(computed)
    if claim.correct is not None and not _equal(claim.correct, computed):
        raise CountMismatch(f"{claim_id}: recomputed {computed}, but the ledger says {claim.correct}")
    measured = (
        str(claim.correct) if isinstance(claim.correct, Decimal) else computed
    )  # with the digits that are compared
    if claim.reported is None:  # the report prints no figure to compare with
        return Verdict(claim_id, "reproduced", measured, "recomputed exactly")
    status = "agrees" if _same_count(claim, claim.reported, computed) else "differs"
    return Verdict(claim_id, status, measured, "recomputed exactly")


def _equal(stated, computed):
    """Whether a computed count is the stated one; a stated number with decimals is met by what rounds to it."""
    if isinstance(stated, list) or isinstance(computed, list):
        both = isinstance(stated, list) and isinstance(computed, list) and len(stated) == len(computed)
        return both and all(map(_equal, stated, computed))
    return abs(stated - Decimal(computed)) <= _half_digit(stated) if isinstance(stated, Decimal) else stated == computed


def _half_digit(printed):
    """Half a unit of the last digit of a number as it is printed."""
    return Decimal(5).scaleb(Decimal(printed).as_tuple().exponent - 1)


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
        return _equal(reported, computed)
    unit = 10 ** (len(str(reported)) - len(str(reported).rstrip("0")))  # of the last printed digit that is not 0
    return abs(reported - computed) <= unit / 2


def check_metric(claim_id, values, precision=None, epochs=None, units="groups"):
    """Compare a report's one run with ours: could it have been one further run?

    `values` is {seed: value} or a list; or {unit: {seed: value}}, where units, such as speakers (`units` names them), differ
    as well: then a further run is one of a further unit. "differs" when the report's number lies outside the 95 % prediction
    interval mean ± t·s·√(1 + 1/n), widened by half the last printed digit. Inside it, it "agrees" when the interval can tell: when
    half its width is no more than `precision` (PRECISION, where the kind of metric is named there), and when the number is not
    inside only because the runs are few, that is, beyond mean ± 1.96 s. Otherwise it is "too wide to tell". Best epochs are
    compared on the scale of their log-odds between the first and the last of `epochs`. Fewer than two runs give "not yet
    tested". Raises ValueError when a value is no finite number, or when no precision is named.
    """
    claim = find_claim(claim_id, "metric")
    if not isinstance(claim.reported, (int, Decimal)):
        raise ValueError(
            f"{claim_id} states {number(claim.reported) or 'no number'}, not one number: judge its parts apart"
        )
    measure = _measure(claim, precision, epochs, [values], [claim.reported])
    part, note = _against(measure, claim.text, claim.reported, values, claim_id, units)
    part = replace(part, p_holm=part.p)
    return Verdict(claim_id, part.status, part.measured, note, part.n, part.interval, part.mean_interval, (part,))


def check_metric_parts(claim_id, parts, precision=None, epochs=None, units="groups"):
    """Compare a report's number, or its list of numbers, with several sets of our runs.

    `parts` is {what: values}, each compared with the one number, or {what: (number, values)}, where the number is one of the
    report's; the rest is as in `check_metric`. The word for all is that of every part, or "agrees in part" when some agree and
    others differ; where some are too wide to tell, the rest says so.
    """
    claim = find_claim(claim_id, "metric")
    stated = claim.reported if isinstance(claim.reported, list) else [claim.reported]
    given = {what: part if isinstance(part, tuple) else (claim.reported, part) for what, part in parts.items()}
    for reported, _ in given.values():
        if reported not in stated:
            raise ValueError(f"{claim_id} states {number(claim.reported)}, not {reported}")
    measure = _measure(claim, precision, epochs, [values for _, values in given.values()], stated)
    compared = [_against(measure, what, *pair, f"{claim_id}, {what}", units) for what, pair in given.items()]
    found = _corrected([part for part, _ in compared])
    evidence = "; ".join(f"{part.what}: {_part_text(part, note)}" for part, note in compared)
    status = statuses.of_metric_parts(part.status for part in found)
    return Verdict(claim_id, status, evidence=evidence, n=min((part.n for part in found), default=0), parts=found)


def _part_text(part, note):
    if part.n < 2:
        return note
    centre, low, high = together(part.measured, *part.interval)
    runs = f"n = {part.n}" if part.units == "seeds" else f"{part.n} {part.units}"
    return f"{centre}, one further run {low} to {high}, {runs}: {part.status}"


def _corrected(parts):
    """The parts, as plain ones, with their p corrected for all of them where they have one."""
    tested = [part for part in parts if part.p is not None]
    corrected = dict(zip(map(id, tested), intervals.holm([part.p for part in tested]), strict=True))
    return tuple(Part(**vars(part) | {"p_holm": corrected.get(id(part))}) for part in parts)


@dataclass(frozen=True)
class _Measure:
    """How a kind of metric is compared: the precision that an interval needs, and the range that its values cannot leave."""

    precision: float
    limits: tuple | None
    odds: bool = False  # whether it is compared on the scale of log-odds

    def scaled(self, value):
        if not self.odds:
            return float(value)
        share = (float(value) - 0.5) / self.limits[1]
        return math.inf if share >= 1 else -math.inf if share <= 0 else math.log(share / (1 - share))

    def unscaled(self, value):
        return 0.5 + self.limits[1] / (1 + math.exp(-value)) if self.odds else value

    def clipped(self, low, high):
        least, most = self.limits or (None, None)
        return low if least is None else max(low, least), high if most is None else min(high, most)


def _measure(claim, precision, epochs, groups, stated):
    precision = precision if precision is not None else PRECISION.get(claim.metric)
    if precision is None:
        raise ValueError(
            f"{claim.id}: no precision is named for the metric {claim.metric!r}; name one before the runs: precision=…"
        )
    if claim.metric == "best epoch" or epochs:
        runs = [value for values in groups for value in _plain_runs(values)]
        return _Measure(precision, (1, epochs or max([*stated, *runs])), odds=True)
    return _Measure(precision, LIMITS.get(claim.metric))


def _against(measure, what, reported, values, name, units):
    """The part for a number that a report made by one run, and the evidence in words."""
    printed, half = float(reported), float(_half_digit(reported))
    nested = isinstance(values, dict) and any(isinstance(runs, dict) for runs in values.values())
    runs = tuple(_plain_runs(values, name))
    shared = {"what": what, "reported": reported if isinstance(reported, int) else printed, "n": len(runs)}
    shared |= {"values": runs, "limits": measure.limits}
    if nested:
        shared["units"] = f"runs of {len(values)} {units}"
        few = len(values) < 2 or min(map(len, values.values())) < 2
    if few if nested else len(runs) < 2:
        return Part(status=statuses.OPEN, **shared), f"{len(runs)} recorded runs, too few for an interval"
    scaled = [[measure.scaled(run) for run in group.values()] for group in values.values()] if nested else None
    found = intervals.nested_scatter(scaled) if nested else intervals.scatter([measure.scaled(run) for run in runs])

    def interval(reach, allowed=0.0):
        low, high = measure.unscaled(found.centre - reach), measure.unscaled(found.centre + reach)
        return low - allowed, high + allowed

    def inside(low, high):
        return low <= printed <= high

    bare, widened = interval(found.reach), interval(found.reach, half)
    if not inside(*widened):
        status = "differs"
    elif (bare[1] - bare[0]) / 2 > measure.precision or not inside(*interval(found.least_reach, half)):
        status = statuses.TOO_WIDE
    else:
        status = "agrees"
    centre, mean_reach = _mean_and_reach(values, runs, nested)
    ends, mean_ends = measure.clipped(*widened), measure.clipped(centre - mean_reach, centre + mean_reach)
    distance = max(measure.scaled(printed - half) - found.centre, found.centre - measure.scaled(printed + half))
    by_half = status != "differs" and not inside(*bare)
    part = Part(
        status=status,
        measured=centre,
        interval=ends,
        mean_interval=mean_ends,
        p=found.p(distance),
        half_digit=by_half,
        **shared,
    )
    notes = [f"n = {len(runs)}" if not nested else f"{part.n} {part.units}, {found.freedom:.1f} degrees of freedom"]
    notes += [f"one further run: {interval_text(*ends)}", f"the mean: {interval_text(*mean_ends)}"]
    if measure.odds:
        early = sum(run <= printed for run in runs)
        notes.append(f"{early} of {len(runs)} runs by epoch {reported}")
    return part, "; ".join(notes + ["inside by half of the last printed digit"] * by_half)


def _mean_and_reach(values, runs, nested):
    """Our mean, of the units' means where there are units, and half the width of its 95 % interval."""
    found = (
        intervals.nested_scatter([list(group.values()) for group in values.values()])
        if nested
        else intervals.scatter(runs)
    )
    return found.centre, found.mean_reach


def _plain_runs(values, name=""):
    """The values of all runs, one after the other, those of {unit: {seed: value}} too; each checked to be a finite number."""
    if isinstance(values, dict) and any(isinstance(runs, dict) for runs in values.values()):
        return [run for unit, runs in values.items() for run in _numbers(f"{name}, {unit}", runs)]
    return _numbers(name, values)


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

    expected = f"about the same (within {margin})"
    return _compare(what, expected, first, second, verdict, lambda d: abs(d) < margin, units, margin)


def _compare(what, expected, first, second, verdict, points, units, margin=None):
    """`verdict(low, high)` says of the interval whether the claim holds and whether its opposite does."""
    one = dict(zip(first, _numbers(f"{what}, first of the two", first), strict=True))
    other = dict(zip(second, _numbers(f"{what}, second of the two", second), strict=True))
    seeds = sorted(set(one) & set(other))
    differences = tuple(one[seed] - other[seed] for seed in seeds)
    known = {"what": what, "expected": expected, "units": units, "values": differences, "margin": margin}
    known |= {"n": len(seeds), "pointing": sum(map(points, differences))}
    if len(seeds) < 2:
        return Comparison(status=statuses.OPEN, **known)
    found = intervals.scatter(differences)
    interval = (found.centre - found.mean_reach, found.centre + found.mean_reach)
    holds, reversed_ = verdict(*interval)
    status = "holds" if holds else "reversed" if reversed_ else "undecided"
    return Comparison(
        status=status,
        measured=found.centre,
        interval=interval,
        p=_p_of(differences, margin),
        needed=intervals.pairs_needed(differences, margin) if status == "undecided" else None,
        correlation=intervals.correlation([one[seed] for seed in seeds], [other[seed] for seed in seeds]),
        **known,
    )


def _p_of(differences, margin):
    """The p that is below 0.05 exactly where the 95 % interval decides: it excludes 0, or lies wholly within or beyond the margin."""
    if margin is None:
        return intervals.difference_p(differences)
    return max(intervals.difference_p(differences, edge) for edge in (-margin, margin))  # the nearer edge decides


def check_order(claim_id, *comparisons):
    """Judge an ordering by its comparisons.

    The word is that of all of them, "holds, the rest undecided" where some hold and none is reversed, or "mixed" as soon as
    one is reversed among others.
    """
    find_claim(claim_id, "order")
    status = statuses.of_order_parts(comparison.status for comparison in comparisons)
    n = min((comparison.n for comparison in comparisons), default=0)
    return Verdict(claim_id, status, evidence="; ".join(map(str, comparisons)), n=n, parts=_corrected(comparisons))


def judge(claim_id, status, evidence, *comparisons):
    """The verdict on a statement in words, with the evidence named, and the comparisons that it rests on.

    With `status` None they decide: all of them hold, "supported"; one is reversed, "not supported"; else "undecided".
    """
    find_claim(claim_id, "text")
    if status is None:
        status = statuses.of_statement(comparison.status for comparison in comparisons)
    if status not in TEXT_STATUSES:
        raise ValueError(f"status {status!r} is none of {', '.join(TEXT_STATUSES)}")
    return Verdict(claim_id, status, evidence=evidence, parts=_corrected(comparisons))


def placebo(verdict):
    """(k, m): with k of the m other numbers that the same report prints for this metric would our runs agree as well?

    The more, the less an "agrees" is worth. The numbers are those of other networks on the same data; None for other verdicts.
    """
    claim = ledger_rows()[verdict.claim_id]
    if claim.kind != "metric" or verdict.interval is None:
        return None
    alike = ("report", "dataset", "metric", "split")
    others = [
        row for row in ledger_rows().values() if all(getattr(row, name) == getattr(claim, name) for name in alike)
    ]
    printed = [row.reported for row in others if row.id != claim.id and isinstance(row.reported, (int, Decimal))]
    low, high = verdict.interval
    return sum(low <= float(value) <= high for value in printed), len(printed)


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
