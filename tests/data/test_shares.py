"""A share of the training examples: drawn by a seed, every class in it, and what is refused."""

from dataclasses import replace

import pytest
import torch

from companion import DataError, Split, Splits, load_dataset, training_share


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits")


@pytest.fixture
def splits():
    """Three classes, 120 examples; each input is its own number."""
    return made_up([0, 1, 2] * 40)


def made_up(labels, classes=("a", "b", "c")):
    labels = torch.as_tensor(labels)
    train = Split(torch.arange(len(labels), dtype=torch.float32).unsqueeze(1), labels)
    return Splits(train=train, val=train, classes=classes, name="made up", fingerprint="0" * 64, source="here")


def chosen(splits):
    return splits.train.inputs.flatten().tolist()


def test_a_share_holds_as_many_different_examples_as_it_says_each_with_its_own_label(splits):
    some = training_share(splits, 30, seed=3)
    assert len(some.train) == 30 and len(set(chosen(some))) == 30
    assert all(label == int(number) % 3 for number, label in zip(chosen(some), some.train.labels.tolist(), strict=True))
    assert some.val is splits.val and some.name == splits.name


def test_a_share_of_a_real_set_holds_images_of_that_set_with_their_labels(digits):
    share = training_share(digits, 100, seed=1)
    label_of = dict(zip(map(bytes, digits.train.images.flatten(1).numpy()), digits.train.labels.tolist(), strict=True))
    images = [bytes(image) for image in share.train.images.flatten(1).numpy()]
    assert len(set(images)) == 100 and [label_of[image] for image in images] == share.train.labels.tolist()


def test_all_examples_stay_in_their_order(splits):
    assert chosen(training_share(splits, 120, 3)) == chosen(splits)


def test_the_seed_draws_the_share_and_a_small_one_lies_in_the_larger_one_of_its_seed(splits):
    half, quarter = training_share(splits, 60, 1), training_share(splits, 30, 1)
    assert set(chosen(quarter)) < set(chosen(half)) and chosen(quarter) == chosen(training_share(splits, 30, 1))
    assert set(chosen(quarter)) != set(chosen(training_share(splits, 30, 2)))


@pytest.mark.parametrize("count", [30, 120])
def test_copies_repeat_each_chosen_example(splits, count):
    once, twice = training_share(splits, count, 0), training_share(splits, count, 0, copies=2)
    assert sorted(chosen(twice)) == sorted(chosen(once) * 2)


@pytest.mark.parametrize("count", [0, -5, 121, 2.5, 0.25, True, "10", None, float("nan")])
def test_more_examples_than_there_are_or_none_are_refused(splits, count):
    with pytest.raises(DataError, match="how many of the 120 training examples"):
        training_share(splits, count, 0)


@pytest.mark.parametrize("copies", [0, -1, 1.5, True])
def test_copies_that_are_no_number_of_times_are_refused(copies, splits):
    with pytest.raises(DataError, match="copies is how often"):
        training_share(splits, 120, 0, copies=copies)


def test_a_seed_that_is_none_is_refused(splits):
    with pytest.raises(DataError, match="split is the number"):
        training_share(splits, 10, -1)


def test_a_class_without_an_example_is_named_and_nothing_is_lost():
    splits = made_up([0] * 50 + [1] * 50 + [2])
    without = [seed for seed in range(20) if 100 not in chosen_of_all(splits, seed)]
    assert 0 < len(without) < 20
    with pytest.raises(DataError, match=rf"25 of the 101 .*\(seed {without[0]}\) holds none of the class c:"):
        training_share(splits, 25, without[0])
    assert len(splits.train) == 101


def chosen_of_all(splits, seed):
    """What a share of 25 with this seed holds, by labels that all are the same."""
    same = replace(splits, train=Split(splits.train.inputs, torch.zeros(101, dtype=torch.int64)))
    return chosen(training_share(same, 25, seed))


@pytest.mark.parametrize("dtype", [torch.int64, torch.float32, torch.bool, torch.uint8])
def test_one_hot_labels_are_named_as_what_they_are(dtype, splits):
    rows = torch.nn.functional.one_hot(splits.train.labels, 3).to(dtype)
    with pytest.raises(DataError, match=r"one-hot rows, a tensor \(120, 3\) of .*: classes are meant.*argmax\(1\)"):
        training_share(replace(splits, train=Split(splits.train.inputs, rows)), 60, 0)


@pytest.mark.parametrize("labels", [torch.rand(120), torch.rand(120, 3), torch.zeros(120, 3), torch.ones(120, 1, 1)])
def test_other_labels_than_classes_are_refused_with_their_shape(labels, splits):
    with pytest.raises(DataError, match=r"are to be classes, whole numbers \(N,\), and not a tensor \(120"):
        training_share(replace(splits, train=Split(splits.train.inputs, labels)), 60, 0)
