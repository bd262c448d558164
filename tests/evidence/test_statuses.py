"""The words of the verdicts: one sign and one group for each, and colours in the styles."""

import re
from collections import Counter

import pytest
from books import ROOT

from companion.evidence import statuses, verdicts


def test_every_verdict_belongs_to_one_group_and_keeps_its_sign():
    words = Counter(status for group in statuses.GROUPS for status in group.statuses)
    assert set(words.values()) == {1} and set(words) == set(statuses.SYMBOLS)
    assert set(verdicts.TEXT_STATUSES) < set(words)
    for signs, group in {
        "✓": "agrees",
        "◐": "holds, the rest undecided",
        "±": "mixed",
        "?": "undecided",
        "✗": "reversed",
        "–": "not tested",
    }.items():
        assert statuses.SYMBOLS[group] == statuses.group_of(group).symbol == signs


def test_a_word_that_is_no_verdict_belongs_to_no_group():
    with pytest.raises(KeyError):
        statuses.group_of("maybe")


def test_every_verdict_and_every_group_has_its_colour_in_the_styles():
    styles = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "book" / "static").glob("*.css"))
    named = set(re.findall(r"\.verdict-([\w-]+)", styles))
    assert named == {statuses.slug(status) for status in statuses.SYMBOLS}
    assert set(re.findall(r"\.is-([a-z]+)", styles)) >= {group.key for group in statuses.GROUPS}
