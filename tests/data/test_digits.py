"""scikit-learn's digits as pictures, over photographs and as rows: the embedded sets of the book."""

from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from data_files import assert_padding_follows_the_end

from companion.data import digits
from companion.data.digits import load_digit_rows, load_digits, load_photo_digits


@pytest.fixture(scope="module")
def photo_digits():
    return load_photo_digits()


def test_photo_digits_are_5000_colour_images_of_ten_classes(photo_digits):
    for split, count in ((photo_digits.train, 4000), (photo_digits.val, 1000)):
        assert split.images.shape == (count, 3, 32, 32)
        assert split.images.dtype == torch.uint8
        assert split.images.is_contiguous()
        assert split.labels.dtype == torch.int64
        assert sorted(split.labels.unique().tolist()) == list(range(10))
    assert photo_digits.test is None
    assert photo_digits.classes == tuple("0123456789")


def test_photo_digits_of_one_seed_are_the_same_bytes_twice():
    first, second = load_photo_digits(3, 50, 20), load_photo_digits(3, 50, 20)
    assert torch.equal(first.train.images, second.train.images)
    assert torch.equal(first.val.images, second.val.images)
    assert first.fingerprint == second.fingerprint


def test_photo_digits_of_another_seed_are_other_bytes():
    assert load_photo_digits(3, 50, 20).fingerprint != load_photo_digits(4, 50, 20).fingerprint


def test_photo_digits_are_the_same_on_every_machine_with_the_pinned_pillow(photo_digits):
    pins = (Path(__file__).parents[2] / "constraints.txt").read_text(encoding="utf-8").lower()
    if f"pillow=={version('pillow')}\n" not in pins:
        pytest.skip("another Pillow than the pinned one resizes and decodes with other rounding")
    assert photo_digits.fingerprint.startswith("d136cd50b2c6")


def use_photographs(monkeypatch, left, right):
    """Two plain photographs: the left three quarters in one colour, the right quarter in another."""
    photo = np.zeros((60, 400, 3), np.uint8)
    photo[:, :300], photo[:, 300:] = left, right
    monkeypatch.setattr("sklearn.datasets.load_sample_images", lambda: SimpleNamespace(images=[photo, photo]))


def test_training_sees_only_the_left_of_the_photographs_and_validation_only_the_right(monkeypatch):
    use_photographs(monkeypatch, left=(0, 0, 0), right=(0, 255, 0))
    splits = load_photo_digits(n_train=300, n_val=300)
    red, green, _ = splits.train.images.unbind(1)
    assert torch.equal(green, red)  # |0 − digit| everywhere: not one pixel of the right part
    red, green, _ = splits.val.images.unbind(1)
    assert torch.equal(green, 255 - red)  # |255 − digit| everywhere: not one pixel of the left part


def digits_in(split):
    """The distinct digits of images whose photographs are black, cut to their own borders."""
    digits = set()
    for image in split.images[:, 0].numpy():
        rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
        digits.add(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].tobytes())
    return digits


def test_no_digit_of_the_training_set_is_in_the_validation_set(monkeypatch):
    use_photographs(monkeypatch, left=0, right=0)
    splits = load_photo_digits()
    train, val = digits_in(splits.train), digits_in(splits.val)
    assert not train & val
    assert 1300 < len(train) <= 1437  # 4,000 draws out of 1,437 leave about one in sixteen out
    assert 300 < len(val) <= 360


def test_digits_keep_the_pictures_of_scikit_learn():
    from sklearn.datasets import load_digits as original

    splits = load_digits(size=8)  # not enlarged, so only the range of the values changes
    assert splits.train.images.shape == (1437, 1, 8, 8)
    assert splits.val.images.shape == (360, 1, 8, 8)
    pixels = torch.cat([splits.train.images, splits.val.images]).flatten(1).numpy()
    ours = np.ceil(pixels / 15.9375)  # 0..255 back to 0..16
    theirs = original().data
    assert sorted(ours.tolist()) == sorted(theirs.tolist())


def test_digits_are_enlarged_to_the_size_of_mnist():
    assert load_digits().train.images.shape == (1437, 1, 28, 28)


def test_changing_the_images_of_one_call_leaves_the_next_call_alone():
    first = load_digits(size=9)
    first.train.images.zero_()
    first.train.labels.zero_()
    again = load_digits(size=9)
    assert again.train.images.any()
    assert again.train.labels.any()


def test_the_embedded_sets_are_the_known_ones_to_the_last_pixel():
    """With the pinned Pillow and scikit-learn; the outputs of the committed notebooks rest on these bytes."""
    assert digits.load_photo_digits().fingerprint.startswith("d136cd50b2c68dc8beb391b1506f9083")
    assert digits.load_digits().fingerprint.startswith("7af62b5480c69e6966eae6fdfa9237ba")


# ------------------------------------------------------------------------------------------------------- digits by rows


@pytest.fixture(scope="module")
def digit_folds():
    return [load_digit_rows(k) for k in range(5)]


def test_digit_rows_are_the_pictures_of_scikit_learn_row_by_row(digit_folds):
    from sklearn.datasets import load_digits

    original = load_digits()
    expected = sorted((*picture, label) for picture, label in zip(original.data.tolist(), original.target, strict=True))
    for splits in digit_folds[:2]:
        rows = torch.cat([splits.train.inputs, splits.val.inputs]).double()
        ours = np.ceil((rows * 127.5 + 127.5).round().flatten(1).numpy() / 15.9375).tolist()  # back to 0..16
        labels = torch.cat([splits.train.labels, splits.val.labels]).tolist()
        assert sorted((*picture, label) for picture, label in zip(ours, labels, strict=True)) == expected
        assert rows.abs().max() <= 1


def test_each_digit_is_held_out_exactly_once(digit_folds):
    assert [len(splits.val) for splits in digit_folds] == [360, 360, 360, 360, 357]
    assert all(len(splits.train) + len(splits.val) == 1797 for splits in digit_folds)
    held_out = torch.cat([splits.val.inputs for splits in digit_folds]).flatten(1)
    everything = torch.cat([digit_folds[0].train.inputs, digit_folds[0].val.inputs]).flatten(1)
    assert sorted(held_out.tolist()) == sorted(everything.tolist())
    assert len({splits.fingerprint for splits in digit_folds}) == 1


def test_no_row_of_a_digit_looks_like_padding(digit_folds):
    for split in (digit_folds[0].train, digit_folds[0].val):
        assert split.inputs.shape[1:] == (8, 8)
        assert (split.inputs != 0).all()
        assert_padding_follows_the_end(split.inputs, [8] * len(split))
