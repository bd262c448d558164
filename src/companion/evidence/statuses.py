"""Every word that a verdict can be, with its sign and the group in which it is counted: one table for texts and pages."""

from dataclasses import dataclass


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
    Group("part", "in part", "◐", ("agrees in part", "holds in part"), "some of their parts hold and others do not"),
    Group("undecided", "undecided", "?", ("undecided",), "our runs point neither way"),
    Group("differ", "differ", "✗", ("differs", "reversed", "not supported"), "our runs say otherwise"),
    Group("open", "not yet tested", "–", ("not tested", "not yet tested"), "their chapters are still to come"),
)
_GROUP_OF = {status: group for group in GROUPS for status in group.statuses}
SYMBOLS = {status: group.symbol for status, group in _GROUP_OF.items()}


def group_of(status):
    """The group to which a verdict's word belongs."""
    return _GROUP_OF[status]


def slug(status):
    """A verdict's word as it stands in the names of styles and in addresses: "not-supported"."""
    return status.replace(" ", "-")
