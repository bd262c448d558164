"""Every word that a verdict can be, with its sign and the group in which it is counted: one table for texts and pages."""

from dataclasses import dataclass

TOO_WIDE = "too wide to tell"
OPEN = "not yet tested"


@dataclass(frozen=True)
class Group:
    """Verdicts that are counted together.

    `key` is their class in the styles (`is-agree`) and their choice among the ledger page's filters (`any-agree`), `name`
    and `words` say what they are, `symbol` is the sign of each.
    """

    key: str
    name: str
    symbol: str
    statuses: tuple
    words: str


GROUPS = (
    Group(
        "agree",
        "agree",
        "✓",
        ("agrees", "holds", "supported"),
        "numbers that could be one of our runs, orders that hold",
    ),
    Group("answered", "answered", "✓", ("answered", "reproduced"), "a question or a proposal that we tried out"),
    Group(
        "part",
        "agree as far as we can tell",
        "◐",
        ("agrees, the rest too wide to tell", "holds, the rest undecided"),
        "some of their parts agree or hold, and none is contradicted",
    ),
    Group("undecided", "undecided", "?", (TOO_WIDE, "undecided"), "our runs scatter too much to say"),
    Group(
        "mixed",
        "mixed",
        "±",
        ("agrees in part", "mixed"),
        "some of their parts agree or hold, and others are contradicted",
    ),
    Group(
        "differ",
        "differ",
        "✗",
        ("differs", "differs, the rest too wide to tell", "reversed", "not supported"),
        "our runs say otherwise",
    ),
    Group("open", "not yet tested", "–", ("not tested", OPEN), "no run or count of ours says anything yet"),
)
CONTRADICTED = ("mixed", "differ")  # the groups in which something that a report states is contradicted
_GROUP_OF = {status: group for group in GROUPS for status in group.statuses}
SYMBOLS = {status: group.symbol for status, group in _GROUP_OF.items()}


def group_of(status):
    """The group to which a verdict's word belongs."""
    return _GROUP_OF[status]


def slug(status):
    """A verdict's word as it stands in the names of styles and in addresses: "not-supported"."""
    return status.replace(",", "").replace(" ", "-")


def of_metric_parts(found):
    """The word for a number that was compared in parts, from the words of the parts."""
    found = set(found)
    if {"agrees", "differs"} <= found:
        return _one(found, "agrees in part")
    return _one(found, f"{min(found - {TOO_WIDE}, default='')}, the rest {TOO_WIDE}")


def of_order_parts(found):
    """The word for an ordering that was compared in parts, from the words of the parts."""
    found = set(found)
    return _one(found, "mixed" if "reversed" in found else "holds, the rest undecided")


def of_statement(found):
    """The word for a statement that rests on all of these comparisons: not to show one of them is not to contradict it."""
    found = set(found)
    if found == {"holds"}:
        return "supported"
    if OPEN in found or not found:
        return "not tested"
    return "not supported" if "reversed" in found else "undecided"


def _one(found, several):
    """The one word of all parts, "not yet tested" where one of them is or there is none, or the word for several."""
    if not found or OPEN in found:
        return OPEN
    return min(found) if len(found) == 1 else several
