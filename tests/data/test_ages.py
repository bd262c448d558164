"""Ages as classes."""

import pytest
from data_files import refusal

from companion.data import ages
from companion.data.ages import AGE_GROUPS, age_labels
from companion.data.faces import load_faces
from companion.data.tree_rings import load_tree_rings


def test_the_four_groups_are_those_of_the_report():
    for age in range(1, 117):
        group = age_labels([age], "group").item()
        low, high = ((0, 17), (18, 35), (36, 71), (72, 999))[group]
        assert low <= age <= high
    assert [name.split("–")[0].split()[0] for name in AGE_GROUPS] == ["0", "18", "36", "72"]


def test_the_116_single_years_are_numbered_from_0():
    assert [ages.AGES[label] for label in age_labels([1, 2, 116])] == ["1", "2", "116"]
    assert len(ages.AGES) == 116


@pytest.mark.parametrize("load", [load_tree_rings, load_faces])
def test_other_labels_than_ages_and_groups_are_refused(load):
    assert "'age' (116 single years) or 'group'" in refusal(load, "decade")
