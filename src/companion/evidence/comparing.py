"""Is my number normal? A reader's own number beside a chapter's recorded runs, and what our runs know that leads to such a number.

The page's box "Got another number?" answers in the same way (`book/scripts/another.js`), from what `readings` returns.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from companion.evidence import intervals
from companion.evidence.digits import together
from companion.evidence.records import Run, load_record
from companion.evidence.strips import minus
from companion.evidence.verdicts import LIMITS, PRECISION

UNIT = "held_out"  # a setting that names what a run was tested on, such as a speaker: a further run has a further one
SHOWN = 3  # causes
MOST_CHANGED = 2  # settings that differ at once in a cause
PARTS = {"val": "validation", "train": "training", "running": "running"}


@dataclass(frozen=True)
class Reading:
    """One way to read the runs of one setting, and where one further run would lie.

    `curve` is the curve that is read, `kind` where: "last epoch", "best epoch", "epoch 7", "other splits". `low` and `high` are
    the ends of the 95 % interval of one further run, cut where the metric ends, `error` its standard error, and `n` the number
    of runs, in `units` of them where a further run has a further unit; all are None with fewer than two runs. `epochs` are
    those of the runs, and `precision` is half the width above which an interval is too wide to tell; None where none is named.
    """

    setting: dict
    curve: str
    kind: str
    n: int
    epochs: int
    precision: float | None = None
    units: int = 0
    centre: float | None = None
    low: float | None = None
    high: float | None = None
    error: float | None = None

    @property
    def telling(self):
        """Whether there is an interval, and narrow enough to tell numbers apart."""
        return self.low is not None and (self.precision is None or (self.high - self.low) / 2 <= self.precision)

    @property
    def texts(self):
        """Our mean and the two ends, in digits that say something."""
        return tuple(map(minus, together(self.centre, self.low, self.high)))

    def holds(self, number, half=0.0):
        """Whether one further run may have this number, which was rounded by at most `half`."""
        return self.low - half <= number <= self.high + half

    def away(self, number):
        """How far the number lies from our mean, in standard errors of one further run."""
        return (
            abs(number - self.centre) / self.error if self.error else (0.0 if number == self.centre else float("inf"))
        )

    def __str__(self):
        part, _, metric = self.curve.partition("_")
        return f"{PARTS.get(part, part)} {metric.replace('_', ' ')}, {self.kind}"


@dataclass(frozen=True)
class Cause:
    """Another reading of our runs that holds the number: what is other about it, and by how much its mean is."""

    reading: Reading
    change: str
    shift: float

    def __str__(self):
        centre, low, high = self.reading.texts
        shift = minus(f"{self.shift:+,.{len(centre.partition('.')[2])}f}")
        return (
            f"{self.change}: our mean is then {centre} ({shift}), one further run {low} to {high}, n = {self.reading.n}"
        )


@dataclass(frozen=True)
class Answer:
    """What our runs say of a number: `status` is "normal", "not normal" or "cannot tell"; printing it says why, in words."""

    number: float
    status: str
    reading: Reading
    words: str
    causes: tuple = ()

    def __str__(self):
        return "\n".join([self.words, *(f"- {cause}" for cause in self.causes)])

    __repr__ = __str__


def compare(number, chapter, metric=None, splits=None, **setting):
    """Say whether one's own number could be one more of a chapter's recorded runs: `compare(0.62, "dropout", rate=0.5)`.

    `number` is a number (a text or Decimal keeps zeros at its end: "0.60"), a `Run`, or a list of these, which is compared one
    by one. `metric` is a curve of the runs, such as "train_loss", after the last epoch; without it, the validation accuracy, or
    the validation loss where there is none. `setting` names as much of the runs' setting as is needed to tell which are meant; a
    `Run` brings its own. Where several fit, those with most runs, then with most epochs. `splits` are the `Splits` that one's own
    runs saw: on other data than ours, or after another number of epochs, a `Run` is another experiment, and the answer says so.
    Returns an `Answer`, or an `Answers`, a list of them. Raises ValueError when the chapter has no such runs or no such metric,
    or when the number is none, with what there is.
    """
    record = load_record(chapter)
    found = readings(record)
    if not found and splits is not None:  # a page before its first record
        return Answers([Answer(None, "cannot tell", None, f"{chapter} has no recorded runs yet: we cannot tell.")])
    if not found:
        raise ValueError(f"{chapter} has no recorded runs to compare with")
    curves = sorted({reading.curve for reading in found if reading.kind == "last epoch"})
    metric = main_curve(curves) if metric is None else metric
    if metric not in curves:
        raise ValueError(f"the runs of {chapter} have no {metric!r}; they have {', '.join(curves)}")
    if splits is not None and (other := _other_data(splits, record)):
        return Answers([Answer(None, "cannot tell", None, other)])
    if isinstance(number, Iterable) and not isinstance(number, (str, bytes)):
        return Answers(_compared(one, chapter, metric, setting, found) for one in number)
    return _compared(number, chapter, metric, setting, found)


class Answers(list):
    """Answers, one for each number; printing them prints each."""

    def __repr__(self):
        return "\n".join(map(str, self))


def main_curve(curves):
    """The curve that a reader most likely has a number of."""
    return next((curve for curve in ("val_accuracy", "val_binary_accuracy") if curve in curves), "val_loss")


def _compared(number, chapter, metric, setting, found):
    if not isinstance(number, Run):
        return answer(number, chosen(found, chapter, metric, setting), found)
    known = {name for reading in found for name in reading.setting}
    try:
        reading = chosen(found, chapter, metric, {n: v for n, v in number.setting.items() if n in known} | setting)
    except ValueError as error:  # a setting of its own is no mistake
        return Answer(number.last(metric), "cannot tell", None, f"We cannot tell: {error}.")
    if (epochs := number.history.epochs) != reading.epochs:
        words = f"Your run has {epochs} epochs, ours {reading.epochs}: another experiment, so we cannot tell."
        return Answer(number.last(metric), "cannot tell", reading, words)
    return answer(number.last(metric), reading, found)


def _other_data(splits, record):
    """Why one's own data are not those of the recorded runs, in words; empty when they are."""
    recorded = [run.provenance["data"] for run in record.runs]
    if any(one["fingerprint"] == splits.fingerprint for one in recorded):
        return ""
    ours = ", ".join(sorted({f"{one['name']} ({one['source']})" for one in recorded}))
    return (
        f"Your runs saw {splits.name} ({splits.source}), ours {ours}: another experiment, so we cannot tell. Runs on the same data are compared "
        "one by one here, and so is a number of your own: compare(0.62, …)."
    )


def chosen(found, chapter, metric, setting):
    """The reading of the last epoch that is meant by this part of a setting: that with most runs of those which fit."""
    own = [reading for reading in found if (reading.curve, reading.kind) == (metric, "last epoch")]
    known = {name for reading in own for name in reading.setting}
    if unknown := sorted(set(setting) - known):
        raise ValueError(
            f"the runs of {chapter} are not told apart by {', '.join(unknown)}, only by {', '.join(sorted(known)) or 'nothing'}"
        )
    fits = [r for r in own if all(r.setting.get(name) == value for name, value in setting.items())]
    if not fits:
        there = {name: sorted({str(r.setting[name]) for r in own if name in r.setting}) for name in setting}
        raise ValueError(
            f"{chapter} has no recorded runs with {described(setting)}; recorded are "
            + ", ".join(f"{name} {' or '.join(values)}" for name, values in there.items())
        )
    return max(fits, key=lambda reading: (reading.n, reading.epochs))


def answer(number, reading, found):
    """The `Answer` for a number that is read as `reading`, one of those `found`."""
    value, half, text = _read(number)
    name = f"{text} ({', '.join(filter(None, [str(reading), described(reading.setting)]))})"
    if reading.low is None:
        return Answer(value, "cannot tell", reading, f"{name}: cannot tell, since only {reading.n} run is recorded.")
    centre, low, high = reading.texts
    runs = f"n = {reading.n}" + (f", {UNIT.replace('_', ' ')} in {reading.units} ways" if reading.units else "")
    where = f"one more run of ours would lie between {low} and {high} (mean {centre}, {runs})"
    if reading.holds(value, half):
        wide = (
            ""
            if reading.telling
            else f". That it lies inside says little: more than ±{reading.precision} is too wide to tell"
        )
        return Answer(value, "normal" if reading.telling else "cannot tell", reading, f"{name}: inside; {where}{wide}.")
    side = "above" if value > reading.centre else "below"
    causes = explaining(value, half, reading, found)
    told = (
        "Of what our own runs know, this leads there:"
        if causes
        else "No other reading of our runs leads there: we cannot tell why."
    )
    far = f"{reading.away(value):.1f} standard errors " if reading.error else ""  # equal runs have none
    words = f"{name}: outside, {far}{side} our mean; {where}. {told}"
    return Answer(value, "not normal", reading, words, causes)


def explaining(value, half, reading, found):
    """The other readings that hold the number, as `Cause`s: first those in which least is other, then the nearest."""
    rest = [r for r in found if r != reading and r.low is not None and r.telling and r.holds(value, half)]
    other = [(*change, r) for r in rest if (change := _change(reading, r))]
    other.sort(key=lambda found: (found[0], found[2].away(value)))
    stopped = [found for found in other if found[2].kind.startswith("epoch ")]
    other = [found for found in other if found not in stopped[1:]]  # of the epochs, the nearest one
    return tuple(Cause(r, words, r.centre - reading.centre) for _, words, r in other[:SHOWN])


def _change(reading, other):
    """(how many things are other, in words), or None where it is too much to be a cause: another metric, or two readings."""
    changed = {
        name for name in {*reading.setting, *other.setting} if reading.setting.get(name) != other.setting.get(name)
    }
    if reading.curve.partition("_")[2] != other.curve.partition("_")[2]:
        return None
    if len(changed) > MOST_CHANGED:
        return None
    if reading.curve == other.curve and other.kind == reading.kind:
        pairs = [
            f"{_plain(name)} {other.setting.get(name)} in place of {reading.setting.get(name)}"
            for name in sorted(changed)
        ]
        return len(changed), ", ".join(pairs)
    if changed:
        return None
    if reading.curve == other.curve:
        return 1, {"best epoch": "the best epoch in place of the last", "other splits": "other splits of the data"}.get(
            other.kind, f"stopped after {other.kind}"
        )
    if other.kind != reading.kind:
        return None
    part = other.curve.partition("_")[0]
    return 1, {
        "running": "averaged over the epoch's batches in training mode, not in evaluation mode",
        "train": "measured on the training part",
        "val": "measured on the validation part",
    }[part]


def readings(record):
    """All `Reading`s of a record, in a fixed order: of each setting, each curve, after the last, the best and each other epoch."""
    names = sorted({name for run in record.runs for name in run.setting} - {UNIT})
    varying = [name for name in names if len({str(run.setting.get(name)) for run in record.runs}) > 1]
    groups = {}
    for run in record.runs:
        setting = {name: run.setting[name] for name in varying if name in run.setting}
        groups.setdefault(tuple(setting.items()), []).append(run)
    return [reading for setting, runs in groups.items() for reading in _readings(dict(setting), runs)]


def _readings(setting, runs):
    own, others = ([run for run in runs if bool(run.split) == elsewhere] for elsewhere in (False, True))
    history = runs[0].history
    for curve in history.curves:
        for kind, at in _places(curve, history.epochs):
            yield _reading(setting, curve, kind, own, at)
        if len(others) > 1:
            yield _reading(setting, curve, "other splits", others, lambda values: values[-1])


def _places(curve, epochs):
    """Where a curve is read: (kind, what it takes of the values)."""
    yield "last epoch", lambda values: values[-1]
    if curve.startswith("val_"):
        yield "best epoch", max if curve.endswith("accuracy") else min
        for epoch in range(1, epochs, -(-epochs // 40)):
            yield f"epoch {epoch}", lambda values, at=epoch - 1: values[at]


def _reading(setting, curve, kind, runs, at):
    metric = curve.partition("_")[2].replace("_", " ")
    classes = any(name.endswith("accuracy") for name in runs[0].history.metrics) if runs else False
    values, units = [at(getattr(run.history, curve)) for run in runs], {}
    for run, value in zip(runs, values, strict=True):
        units.setdefault(run.setting.get(UNIT), []).append(value)
    nested = len(units) > 1 and min(map(len, units.values())) > 1
    known = {"epochs": max((run.history.epochs for run in runs), default=0)}
    known["precision"] = (
        PRECISION.get(metric.replace("binary ", "")) if classes else None
    )  # a loss in other units has none
    if len(values) < 2:
        return Reading(setting, curve, kind, len(values), **known)
    scatter = intervals.nested_scatter(list(units.values())) if nested else intervals.scatter(values)
    low, high = scatter.centre - scatter.reach, scatter.centre + scatter.reach
    least, most = LIMITS.get(metric) or (None, None)
    low, high = low if least is None else max(low, least), high if most is None else min(high, most)
    ends = {"centre": scatter.centre, "low": low, "high": high, "error": scatter.error}
    known |= {name: float(f"{value:.6g}") for name, value in ends.items()}  # as many digits as records keep
    return Reading(setting, curve, kind, len(values), units=len(units) if nested else 0, **known)


def described(setting):
    """A setting in words: "hidden 32, rate 0.5"."""
    return ", ".join(f"{_plain(name)} {value}" for name, value in sorted(setting.items()))


def _plain(name):
    return name.replace("_", " ")


def _read(number):
    """A number's value, half a unit of its last digit, and its text. Raises ValueError for what is none."""
    text = str(number).strip().replace(",", ".").replace("−", "-")
    try:
        decimal = Decimal(text)
    except ArithmeticError:
        decimal = Decimal("nan")
    if not decimal.is_finite() or isinstance(number, bool):
        raise ValueError(f"{number!r} is no number to compare; write it like 0.62")
    return float(decimal), float(Decimal(5).scaleb(decimal.as_tuple().exponent - 1)), text
