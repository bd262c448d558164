"""Splits, their fingerprints, and the parts that are held out."""

import hashlib
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch
from data_files import refusal
from sklearn.preprocessing import StandardScaler

from companion.data.ages import AgedSplit
from companion.data.digits import load_digit_rows
from companion.data.names import load_names
from companion.data.reviews import load_imdb
from companion.data.speech import load_spoken_digits, load_tones
from companion.data.splits import Split, Splits, fingerprint, standardise
from companion.training.engine import as_input


def test_a_split_has_one_label_for_each_image():
    with pytest.raises(ValueError, match=r"one target \(label\) for each input \(image\), not 2 for 3"):
        Split(torch.zeros(3, 1, 2, 2), torch.zeros(2))


def test_a_split_is_checked_under_python_without_asserts_too():
    code = "import torch\nfrom companion import Split\nSplit(torch.zeros(3, 4), torch.zeros(2))"
    done = subprocess.run([sys.executable, "-O", "-c", code], capture_output=True, text=True, check=False)
    assert "ValueError: a split has one target (label) for each input (image), not 2 for 3" in done.stderr


def test_images_and_labels_are_other_names_of_inputs_and_targets_that_nobody_can_set():
    inputs, targets = torch.zeros(2, 3), torch.ones(2)
    for split in (Split(inputs, targets), Split(inputs=inputs, targets=targets)):
        assert split.images is split.inputs is inputs
        assert split.labels is split.targets is targets
    for name in ("inputs", "targets", "images", "labels"):
        with pytest.raises(AttributeError):
            setattr(split, name, inputs)


def test_a_split_is_replaced_by_either_part_and_keeps_its_kind():
    ages = torch.tensor([3, 4])
    aged = AgedSplit(torch.zeros(2, 3), torch.ones(2), ages=ages, traits={}, copies=ages)
    other = replace(aged, inputs=torch.ones(2, 3))
    assert isinstance(other, AgedSplit)
    assert other.images.all()
    assert other.ages is ages


def splits_of(train, val, **more):
    """A table of these rows, the targets 0, 1, 2, ..."""
    parts = [Split(torch.tensor(rows), torch.arange(len(rows))) for rows in (train, val)]
    return Splits(*parts, **({"name": "rows", "fingerprint": "", "source": ""} | more))


def test_splits_have_no_classes_columns_words_and_test_part_unless_they_are_told():
    splits = splits_of([[1.0]], [[2.0]])
    assert (splits.classes, splits.columns, splits.vocabulary, splits.test) == ((), (), (), None)
    with pytest.raises(FrozenInstanceError):
        splits.columns = ("a",)


def test_what_comes_after_the_two_parts_goes_by_name_for_a_mixed_up_order_would_pass_unseen():
    part = Split(torch.zeros(1, 1), torch.zeros(1))
    with pytest.raises(TypeError):
        Splits(part, part, None, ("a",), "name", "", "")


# ------------------------------------------------------------------------------------------------------ fingerprint


def test_the_fingerprint_is_the_sha256_of_kind_shape_and_bytes():
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert fingerprint(array) == hashlib.sha256(b"|u1(2, 3)" + bytes(range(6))).hexdigest()


@pytest.mark.parametrize(
    "changed",
    [
        np.array([0, 1, 2, 3, 4, 6], np.uint8),
        np.arange(6, dtype=np.uint8).reshape(2, 3),
        np.arange(6, dtype=np.int8),
        np.arange(5, dtype=np.uint8),
    ],
    ids=["one byte", "the shape", "the dtype", "the length"],
)
def test_the_fingerprint_changes_with(changed):
    assert fingerprint(changed) != fingerprint(np.arange(6, dtype=np.uint8))


def test_the_fingerprint_depends_on_the_order_of_the_arrays():
    a, b = np.zeros(3), np.ones(3)
    assert fingerprint(a, b) != fingerprint(b, a)


def test_the_fingerprint_does_not_depend_on_how_an_array_lies_in_memory():
    array = np.arange(6).reshape(2, 3)
    assert fingerprint(np.asfortranarray(array)) == fingerprint(array)


# ------------------------------------------------------------------------------------------------------ standardise


@pytest.fixture
def table():
    """200 + 50 rows of four columns on very different scales, and a test part."""
    rng = np.random.default_rng(0)
    rows = rng.normal((0, 5, -300, 1e5), (1, 0.01, 40, 3e4), (270, 4)).astype(np.float32)
    splits = splits_of(rows[:200].tolist(), rows[200:250].tolist(), columns=("a", "b", "c", "d"))
    return replace(splits, test=Split(torch.from_numpy(rows[250:]), torch.arange(20)))


def test_standardise_does_what_scikit_learn_does_when_it_is_fitted_on_the_training_part(table):
    scaler = StandardScaler().fit(table.train.inputs.double().numpy())
    ours = standardise(table)
    for part in ("train", "val", "test"):
        theirs = scaler.transform(getattr(table, part).inputs.double().numpy())
        assert np.abs(getattr(ours, part).inputs.numpy() - theirs).max() < 1e-5
        assert getattr(ours, part).inputs.dtype == torch.float32
        assert torch.equal(getattr(ours, part).targets, getattr(table, part).targets)
    assert replace(ours, train=None, val=None, test=None) == replace(table, train=None, val=None, test=None)


def test_standardise_by_hand():
    """1, 3, 5 and 7: mean 4, mean square of the differences (9 + 1 + 1 + 9) / 4 = 5."""
    splits = splits_of([[1.0, 10.0], [3.0, 30.0], [5.0, 50.0], [7.0, 70.0]], [[4.0, 140.0]])
    ours = standardise(splits)
    root = 5**0.5
    assert ours.train.inputs[:, 0].tolist() == pytest.approx([-3 / root, -1 / root, 1 / root, 3 / root])
    assert torch.equal(ours.train.inputs[:, 0], ours.train.inputs[:, 1])
    assert ours.val.inputs[0].tolist() == pytest.approx([0, 10 / root])


def test_the_validation_part_has_no_influence_on_the_scale(table):
    other = replace(table, val=replace(table.val, inputs=table.val.inputs * 100 + 7))
    assert torch.equal(standardise(other).train.inputs, standardise(table).train.inputs)


def test_standardise_leaves_the_splits_that_it_is_given_alone(table):
    before = table.train.inputs.clone()
    standardise(table)
    assert torch.equal(table.train.inputs, before)


@pytest.mark.parametrize(("columns", "called"), [(("age", "room"), "the column 'room'"), ((), r"column 1 \(counted")])
def test_a_column_that_is_constant_in_the_training_part_is_named(columns, called):
    rows = [[1.0, 0.1], [2.0, 0.1], [3.0, 0.1]]
    with pytest.raises(
        ValueError, match=rf"{called}.* is constant in the training part \(0.1 in all 3 rows\).*leave it out"
    ):
        standardise(splits_of(rows, [[1.0, 0.2]], columns=columns))


@pytest.mark.parametrize("part", ["train", "val", "test"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_value_that_is_no_number_is_named_with_its_column_and_row(bad, part, table):
    getattr(table, part).inputs[7, 2] = bad
    with pytest.raises(ValueError, match=rf"the column 'c' holds {bad} in row 7 .counted from 0. of the {part} part"):
        standardise(table)


@pytest.mark.parametrize(
    ("inputs", "kind"),
    [
        (torch.zeros(3, 4, dtype=torch.uint8), r"uint8 of the shape \(3, 4\)"),
        (torch.zeros(3, 4, dtype=torch.int64), r"int64 of the shape \(3, 4\)"),
        (torch.zeros(3, 1, 8, 8), r"float32 of the shape \(3, 1, 8, 8\)"),
        (torch.zeros(3), r"float32 of the shape \(3,\)"),
    ],
)
def test_only_a_table_of_floats_is_standardised(inputs, kind):
    part = Split(inputs, torch.zeros(3))
    with pytest.raises(ValueError, match=rf"takes a table of floats, \(N, F\), not {kind}"):
        standardise(Splits(part, part, name="", fingerprint="", source=""))


def test_a_table_without_training_rows_is_refused():
    empty = Split(torch.zeros(0, 2), torch.zeros(0))
    with pytest.raises(ValueError, match="the training part is empty"):
        standardise(Splits(empty, empty, name="", fingerprint="", source=""))


# ------------------------------------------------------------------------------------------------ bytes are pictures


def test_bytes_reach_a_network_between_minus_1_and_1_and_everything_else_as_it_is():
    """The contract in `Split`'s words, kept by the engine."""
    pictures = torch.tensor([[0, 51, 255]], dtype=torch.uint8)
    assert as_input(pictures)[0].tolist() == pytest.approx([-1, -0.6, 1])
    for other in (torch.tensor([[0.0, 0.2, 1.0]]), torch.tensor([[0, 51, 255]]), torch.tensor([[True, False]])):
        assert as_input(other) is other


# ------------------------------------------------------------------------------------------ parts that are not held out


LOADERS = {
    load_digit_rows: 5,
    load_tones: 2**32,
    load_spoken_digits: 6,
    load_names: 5,
    load_imdb: 1,
}


@pytest.mark.parametrize("load", LOADERS, ids=lambda load: load.__name__)
@pytest.mark.parametrize("held_out", [-1, "0", 1.0, 0.0, True, False, None, [0], "too large"])
def test_a_part_that_is_no_whole_number_in_range_is_refused(load, held_out):
    held_out = LOADERS[load] if held_out == "too large" else held_out
    message = refusal(load, held_out)
    assert "held_out is the" in message
    assert f"not {held_out!r}." in message


def test_a_part_may_be_a_whole_number_of_numpy():
    assert torch.equal(load_digit_rows(np.int64(2)).val.inputs, load_digit_rows(2).val.inputs)
