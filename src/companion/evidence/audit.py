"""A report of one's own, judged by the rules of this book: claims and runs from one file, a verdict on each.

The file is YAML: a title, and a list of claims with their runs, written out or as columns of CSV files beside it. `TEMPLATE` shows all
that it may hold. What is wrong with a file is said in sentences, all of them at once.
"""

import csv
import difflib
import math
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

from companion.evidence import verdicts
from companion.evidence.digits import significant
from companion.evidence.ledger import Claim
from companion.evidence.power import smallest_seen
from companion.evidence.verdicts import Verdict

LARGEST = 20_000_000  # bytes of a file
KINDS = {
    "number": {"reported", "metric", "runs", "precision", "epochs"},
    "order": {"expected", "first", "second", "margin", "name"},
    "count": {"reported", "counted"},
}
NEEDED = {
    "number": {"reported", "metric", "runs"},
    "order": {"expected", "first", "second"},
    "count": {"reported", "counted"},
}
EXPECTED = {"smaller": verdicts.smaller, "larger": verdicts.larger, "about the same": verdicts.about_same}
TEMPLATE = """\
# A report of one's own, to be judged by `companion audit report.yml`: its claims, and the runs that they rest on.
title: Dropout on handwritten digits
author: somebody            # may be left out

claims:
  # A number that one run gave. Could it be one further run like these?
  - claim: With dropout the network reaches an accuracy of 0.93 on new digits.
    kind: number
    reported: 0.93          # with the digits as printed
    metric: accuracy        # accuracy, loss and best epoch have a precision of their own; name one for any other: precision: 2
    runs: [0.921, 0.935, 0.928, 0.940, 0.925]

  # An ordering. Pairs share a seed; lists are paired in their order.
  - claim: Dropout narrows the gap between training and validation.
    kind: order
    expected: smaller       # smaller, larger, or about the same (then name a margin, before you look: margin: 0.02)
    first: {0: 0.031, 1: 0.024, 2: 0.035, 3: 0.028, 4: 0.033}
    second: {0: 0.062, 1: 0.057, 2: 0.066, 3: 0.049, 4: 0.071}
    # From a CSV file with a line for each run, beside this file:
    # first: {csv: runs.csv, column: gap, seed: seed, where: {dropout: 0.5}}

  # A count, recomputed.
  - claim: The network has 4,810 parameters.
    kind: count
    reported: 4810
    counted: 4810
"""


class AuditError(ValueError):
    """What is wrong with a file to be audited, in sentences, a line each."""


@dataclass(frozen=True)
class Audit:
    """A report that was judged: its title and author, and (claim, verdict, what so many runs could have shown) for each claim."""

    title: str
    author: str
    judged: tuple

    def _repr_html_(self):
        """The verdicts as cards, as the chapters of the book show them, and what so many runs could have shown."""
        from markupsafe import escape

        from companion.evidence import table
        from companion.evidence.statuses import GROUPS

        counts = Counter(verdict.status for _, verdict, _ in self.judged)
        tally = {status: counts[status] for group in GROUPS for status in group.statuses if counts[status]}
        parts = [part for _, verdict, _ in self.judged for part in verdict.parts if part.interval]
        kinds = {"order" if part.reported is None else "metric" for part in parts}
        rows = [(claim, verdict, claim.statement) for claim, verdict, _ in self.judged]
        cards = table.environment().get_template("verdicts.html").module.cards([("", rows)], tally, kinds)
        notes = "".join(f"<li>{escape(f'Claim {claim.id}. {note}')}</li>" for claim, _, note in self.judged if note)
        return str(cards) + (f"<p><b>What so many runs can tell</b></p><ul>{notes}</ul>" if notes else "")

    @property
    def words(self):
        """The verdicts as lines of text."""
        return "\n".join(f"{claim.id}. {verdict.status}: {claim.statement}" for claim, verdict, _ in self.judged)


def audit(path):
    """Read the file at `path` and judge its claims: an `Audit`. Raises AuditError with everything that is wrong in the file."""
    return judged(*read(path))


def audit_text(text):
    """The `Audit` of the text of such a file, whose runs are written out."""
    return judged(parsed(text, "the text"))


def read(path):
    """(content, folder of its CSV files) of a file, checked to be YAML with claims. Raises AuditError."""
    path = Path(path)
    return parsed(_text(path), path.name), path.parent


def parsed(text, name):
    """The content of the text of a file of this name. Raises AuditError."""
    import yaml

    try:
        content = yaml.load(text, _loader())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise AuditError(f"{name}{where}: this is no YAML ({getattr(error, 'problem', None) or error}).") from None
    except (RecursionError, ValueError) as error:
        raise AuditError(f"{name}: it cannot be read ({error}).") from None
    if not isinstance(content, dict) or not isinstance(content.get("claims"), list) or not content["claims"]:
        raise AuditError(f"{name} needs a list of claims, `claims:`; `companion audit --template` writes an example.")
    return content


def written_out(content, folder):
    """The content as YAML with the values of its runs in place of CSV files, and its numbers with the digits as printed."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes each Decimal with its digits, and runs on one line."""

    Dumper.add_representer(
        Decimal, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:float", str(value))
    )
    Dumper.ignore_aliases = lambda *_: True
    tables = {}

    def plain(value, name=""):
        if isinstance(value, dict) and "csv" in value:
            found = _runs(value, name, Path(folder), tables)
            return {_key(seed): Decimal(repr(number)) for seed, number in found.items()}
        if isinstance(value, dict):
            return {key: plain(one, key) for key, one in value.items()}
        return [plain(one) for one in value] if isinstance(value, list) else value

    return yaml.dump(
        plain(content), Dumper=Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100
    )


def _key(seed):
    return int(seed) if str(seed).isdecimal() else seed


def _loader():
    """A safe loader that keeps the digits of a number as they are printed."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    def decimal(loader, node):
        text = loader.construct_scalar(node).replace("_", "")
        try:
            return Decimal(text)
        except InvalidOperation:
            return float("nan")

    Loader.add_constructor("tag:yaml.org,2002:float", decimal)
    return Loader


def _text(path):
    try:
        if path.stat().st_size > LARGEST:
            raise AuditError(f"{path.name} has more than {LARGEST // 1_000_000} million bytes: runs are a line each.")
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise AuditError(f"{path.name} is not there; `companion audit --template` writes an example.") from None
    except UnicodeDecodeError:
        raise AuditError(f"{path.name} is no text in UTF-8.") from None
    except OSError as error:
        raise AuditError(f"{path.name} cannot be read ({error.strerror}).") from None


def judged(content, folder="."):
    """The `Audit` of a file's content, {"title": …, "claims": [{…}, …]}; CSV files are looked for in `folder`."""
    found, problems, tables = [], [], {}
    extra = set(content) - {"title", "author", "claims"}
    problems += [f"{key!r} is unknown{_near(key, ('title', 'author', 'claims'))}" for key in sorted(map(str, extra))]
    for number, row in enumerate(content["claims"], start=1):
        try:
            found.append(_judged(str(number), row, Path(folder), tables))
        except AuditError as error:
            problems.append(f"claim {number}: {error}")
    if problems:
        raise AuditError("\n".join(f"{problem.rstrip('.')}." for problem in problems))
    return Audit(str(content.get("title", "A report")), str(content.get("author", "")), tuple(found))


def _judged(number, row, folder, tables):
    if not isinstance(row, dict):
        raise AuditError("it is no claim; write `claim:`, `kind:` and what belongs to it")
    kind = row.get("kind")
    if kind not in KINDS:
        raise AuditError(f"its kind is {kind!r}{_near(kind, KINDS)}; kinds are {', '.join(KINDS)}")
    known = {"claim", "kind", *KINDS[kind]}
    if unknown := sorted(map(str, set(row) - known)):
        raise AuditError(f"{unknown[0]!r} is unknown for a {kind}{_near(unknown[0], known)}")
    if missing := sorted({"claim", *NEEDED[kind]} - set(row)):
        raise AuditError(f"it lacks {', '.join(missing)}")
    claim = Claim(number, "", "", {"number": "metric"}.get(kind, kind), statement=str(row["claim"]))
    try:
        return {"number": _number, "order": _order, "count": _count}[kind](claim, row, folder, tables)
    except AuditError:
        raise
    except ValueError as error:  # a sentence of the rules of evidence
        raise AuditError(str(error)) from None


def _number(claim, row, folder, tables):
    """Could the number be one further run? As `check_metric` judges a number of the ledger."""
    claim = replace(claim, reported=_plain_number(row["reported"], "reported"), metric=str(row["metric"]))
    values = _runs(row["runs"], "runs", folder, tables)
    precision = _optional(row, "precision")
    epochs = _optional(row, "epochs")
    measure = verdicts._measure(claim, precision, epochs and int(epochs), [values], [claim.reported])
    part, note = verdicts._against(measure, claim.statement, claim.reported, values, "runs", "groups")
    part = replace(part, p_holm=part.p)
    verdict = Verdict(claim.id, part.status, part.measured, note, part.n, part.interval, part.mean_interval, (part,))
    return claim, verdict, _width(part, measure.precision)


def _width(part, precision):
    if part.n < 2:
        return "One run says nothing about scatter: with two more it could be judged."
    half = (part.interval[1] - part.interval[0]) / 2
    if part.status == "too wide to tell":
        return f"With n = {part.n} the interval is ±{significant(half)}; to tell, it has to be within ±{significant(float(precision))}."
    return f"With n = {part.n}, numbers within ±{significant(half)} of the mean cannot be told from one further run."


def _order(claim, row, folder, tables):
    """Does the ordering hold in pairs of runs? As `check_order` judges one of the ledger."""
    expected = row["expected"]
    if expected not in EXPECTED:
        raise AuditError(f"expected is {expected!r}{_near(expected, EXPECTED)}; it can be {', '.join(EXPECTED)}")
    first, second = (_runs(row[side], side, folder, tables) for side in ("first", "second"))
    options = {}
    if expected == "about the same":
        if "margin" not in row:
            raise AuditError("'about the same' needs a margin, named before the runs: margin: 0.02")
        options["margin"] = abs(_optional(row, "margin"))
    elif "margin" in row:
        raise AuditError(f"a margin belongs to 'about the same', not to {expected!r}")
    if len(set(first) & set(second)) < min(len(first), len(second)):
        alone = sorted(set(first) ^ set(second), key=str)
        raise AuditError(f"first and second have no partner for {', '.join(map(str, alone[:5]))}: pairs share a seed")
    part = EXPECTED[expected](str(row.get("name", "first against second")), first, second, **options)
    verdict = Verdict(claim.id, part.status, evidence=str(part), n=part.n, parts=verdicts._corrected([part]))
    return claim, verdict, _power(part)


def _power(part):
    if part.n < 2:
        return "One pair says nothing about scatter, so nothing can be told from it."
    from statistics import stdev

    scatter = stdev(part.values)
    if not scatter:
        return "All differences are equal: are these really different runs?"
    seen = significant(smallest_seen(part.n, scatter))
    return f"With n = {part.n} pairs of this scatter you could not have seen a difference of less than {seen} (four times in five)."


def _count(claim, row, folder, tables):
    """Is the count right? To the last digit."""
    reported, counted = (_plain_number(row[side], side) for side in ("reported", "counted"))
    claim = replace(claim, reported=reported)
    status = "agrees" if reported == counted else "differs"
    plain = int(counted) if counted == int(counted) else float(counted)
    return claim, Verdict(claim.id, status, plain, "recomputed exactly"), ""


# ------------------------------------------------------------------------------------------------------- values of runs


def _optional(row, name):
    return float(_plain_number(row[name], name)) if name in row else None


def _plain_number(value, name):
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not Decimal(value).is_finite():
        raise AuditError(f"{name} is {value!r}, no number; write it like 0.93")
    return value


def _runs(given, name, folder, tables):
    """{seed: value} of a list, of {seed: value}, or of a CSV file."""
    if isinstance(given, dict) and "csv" in given:
        return _column(given, name, folder, tables)
    if isinstance(given, list):
        given = dict(enumerate(given))
    if not isinstance(given, dict):
        given = {0: given}
    if not given:
        raise AuditError(f"{name} holds no runs")
    return {seed: float(_plain_number(value, f"{name}, run {seed}")) for seed, value in given.items()}


def _column(given, name, folder, tables):
    known = {"csv", "column", "seed", "where"}
    if unknown := sorted(map(str, set(given) - known)):
        raise AuditError(f"{name}: {unknown[0]!r} is unknown{_near(unknown[0], known)}")
    if "column" not in given:
        raise AuditError(f"{name}: which column of {given['csv']}? Write `column: val_accuracy`")
    rows = _table(str(given["csv"]), folder, tables)
    where, seed = given.get("where", {}), given.get("seed")
    if not isinstance(where, dict):
        raise AuditError(f"{name}: where is {where!r}; write it like {{dropout: 0.5}}")
    for column in filter(None, [given["column"], seed, *where]):
        if column not in rows[0]:
            raise AuditError(
                f"{name}: {given['csv']} has no column {column!r}{_near(column, rows[0])}; it has {', '.join(rows[0])}"
            )
    chosen = [row for row in rows if all(_same(row[column], wanted) for column, wanted in where.items())]
    if not chosen:
        raise AuditError(f"{name}: no line of {given['csv']} has {', '.join(f'{k} = {v}' for k, v in where.items())}")
    names = [row[seed] if seed else number for number, row in enumerate(chosen)]
    if len(set(names)) < len(names):
        twice = next(one for one in names if names.count(one) > 1)
        raise AuditError(f"{name}: the seed {twice} stands in {given['csv']} twice: narrow it down with `where`")
    return {seed: _cell(row, given["column"], given["csv"]) for seed, row in zip(names, chosen, strict=True)}


def _table(file, folder, tables):
    path = (folder / file).resolve()
    if folder.resolve() not in path.parents:
        raise AuditError(f"{file} lies outside the folder of the report: put it beside it")
    if path not in tables:
        rows = list(csv.DictReader(_text(path).splitlines()))
        if not rows:
            raise AuditError(f"{file} holds no runs: a line of names, and one for each run")
        if any(None in row or None in row.values() for row in rows):
            number = next(i for i, row in enumerate(rows, start=2) if None in row or None in row.values())
            raise AuditError(f"{file}, line {number}: it has more or fewer cells than the first line has names")
        tables[path] = rows
    return tables[path]


def _same(text, wanted):
    try:
        return Decimal(text.strip()) == Decimal(str(wanted))
    except InvalidOperation:
        return text.strip() == str(wanted)


def _cell(row, column, file):
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise AuditError(f"{file}: {column} holds {row[column]!r}, no finite number")
    return value


def _near(word, known):
    close = difflib.get_close_matches(str(word), [str(one) for one in known], n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
