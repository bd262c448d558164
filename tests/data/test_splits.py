"""Splits, their fingerprints, and the parts that are held out."""

import numpy as np
import pytest
import torch
from data_files import refusal

from companion.data.digits import load_digit_rows
from companion.data.names import load_names
from companion.data.reviews import load_imdb
from companion.data.speech import load_spoken_digits, load_tones
from companion.data.splits import Split, fingerprint


def test_a_split_has_one_label_for_each_image():
    with pytest.raises(AssertionError, match="one label for each image"):
        Split(torch.zeros(3, 1, 2, 2), torch.zeros(2))


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
