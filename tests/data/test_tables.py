"""Tables: how they are read, dealt to folds, and how their holes are filled."""

import numpy as np
import pytest
import torch
from data_files import refusal

from companion.data.splits import Split, Splits, standardise
from companion.data.tables import MISSING, fill_zeros, read_table, rows_of, stratified_folds

NAMES = ("a", "b", "y")


@pytest.mark.parametrize(
    "content",
    [
        b"1,2.5,3\n4,5,6\n",
        b" 1  2.5\t3 \r\n\r\n4 5 6",
        b"a,b,y\n1,2.5,3\n4,5,6\n",
        b"\xef\xbb\xbfA,B,Y\n1,2.5,3\n4,5,6",
    ],
    ids=["commas", "blanks", "names", "first bytes of Windows"],
)
def test_a_table_is_read_whatever_parts_its_cells(content):
    assert read_table(content, NAMES, 2).tolist() == [[1, 2.5, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1,2,3\n", "has 1 rows, not 2"),
        (b"1,2,3\n4,5,6\n7,8,9\n", "has 3 rows, not 2"),
        (b"", "has 0 rows, not 2"),
        (b"1,2,3\n4,5\n", "row 2 has 2 cells, not 3"),
        (b"1,2,3,4\n4,5,6,7\n", "row 1 has 4 cells, not 3"),
        (b"b,a,y\n1,2,3\n4,5,6\n", "its columns are b, a, y, not a, b, y in this order"),
        (b"1,2,3\n4,many,6\n", "row 2 holds 'many' under b, no finite number"),
        (b"1,nan,3\n4,5,6\n", "row 1 holds 'nan' under b, no finite number"),
        (b"1,2,inf\n4,5,6\n", "row 1 holds 'inf' under y, no finite number"),
        (b"1,,3\n4,5,6\n", "row 1 holds 'nothing' under b, no finite number"),
    ],
)
def test_what_is_no_such_table_is_named(content, message):
    with pytest.raises(ValueError, match=message) as caught:
        read_table(content, NAMES, 2)
    assert "\n" not in str(caught.value)


def test_a_split_keeps_every_row_once_and_another_seed_cuts_otherwise():
    train, test = rows_of(3, 50, 10)
    assert sorted([*train, *test]) == list(range(50)) and len(test) == 10
    assert test.tolist() == rows_of(3, 50, 10)[1].tolist() != rows_of(4, 50, 10)[1].tolist()
    for wrong in (-1, 1.5, "keras", None, True):
        assert repr(wrong) in refusal(rows_of, wrong, 50, 10)


# ---------------------------------------------------------------------------------------------------------------- folds


@pytest.mark.parametrize("repeat", [0, 1, 7])
def test_folds_have_the_same_share_of_each_class(repeat):
    labels = np.array([0] * 500 + [1] * 268)
    folds = stratified_folds(labels, 5, repeat)
    assert np.bincount(folds[:500]).tolist() == [100] * 5
    assert set(np.bincount(folds[500:]).tolist()) == {53, 54}
    assert max(np.bincount(folds)) - min(np.bincount(folds)) <= 1


def test_another_repeat_deals_other_folds_and_the_same_one_the_same():
    labels = np.tile([0, 1], 50)
    assert stratified_folds(labels, 5, 1).tolist() == stratified_folds(labels, 5, 1).tolist()
    assert stratified_folds(labels, 5, 1).tolist() != stratified_folds(labels, 5, 2).tolist()


def test_fewer_rows_of_a_class_than_folds_are_refused():
    assert refusal(stratified_folds, [0] * 20 + [1] * 4, 5) == "5 folds need 5 rows of each class, and class 1 has 4."
    assert "class 0 has 3" in refusal(stratified_folds, [0, 0, 0], 5)


# ---------------------------------------------------------------------------------------------------------------- holes

TABLE = np.array([[1.0, 2], [3, 0], [5, 6], [0, 0], [9, 10], [0, 4]])
LABELS = [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ("zeros", [0, 0, 0]),
        ("mean", [4, 4, 4]),  # of 2 and 6, the training rows that were measured
        ("mean-before-split", [22 / 4] * 3),  # of 2, 6, 10 and 4
        ("class-mean", [4, 7, 7]),  # of 2 and 6; of 10 and 4
    ],
)
def test_a_hole_is_filled_by_the_mean_that_was_asked_for(missing, expected):
    before = TABLE.copy()
    filled = fill_zeros(TABLE, LABELS, [0, 1, 2, 3], missing, [1], NAMES)
    assert filled[[1, 3], 1].tolist() == pytest.approx(expected[:2])
    assert filled[:, 0].tolist() == TABLE[:, 0].tolist()  # a column that may hold zeros stays
    assert filled[[0, 2, 4, 5], 1].tolist() == [2, 6, 10, 4]  # and what was measured, too
    assert (before == TABLE).all()


def test_the_mean_of_the_training_rows_does_not_change_with_the_test_rows():
    other = TABLE.copy()
    other[4:] *= 100
    for missing, same in (("mean", True), ("mean-before-split", False)):
        ours, theirs = (fill_zeros(t, LABELS, [0, 1, 2, 3], missing, [1], NAMES)[:4] for t in (TABLE, other))
        assert (ours == theirs).all() == same


def test_a_column_without_any_measure_has_no_mean():
    empty = TABLE * [1, 0]
    for missing in ("mean", "mean-before-split", "class-mean"):
        assert "b is 0, that is not measured, in all rows" in refusal(
            fill_zeros, empty, LABELS, [0, 1, 2, 3], missing, [1], NAMES
        )
    assert (fill_zeros(empty, LABELS, [0, 1], "zeros", [1], NAMES) == empty).all()
    assert "there is no such mean" in refusal(fill_zeros, TABLE, LABELS, [1, 3], "mean", [1], NAMES)


def test_another_word_for_the_holes_is_refused_with_those_that_are_known():
    message = refusal(fill_zeros, TABLE, LABELS, [0], "median", [1], NAMES)
    assert "'median'" in message and all(repr(word) in message for word in MISSING)


def test_a_constant_column_is_named_when_the_table_is_brought_to_one_scale():
    part = Split(torch.tensor([[1.0, 2], [1, 3]]), torch.zeros(2, 1))
    with pytest.raises(ValueError, match="the column 'a' is constant in the training part"):
        standardise(Splits(part, part, name="t", fingerprint="", source="", columns=("a", "b")))
