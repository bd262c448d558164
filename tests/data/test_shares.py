"""A share of the training examples: which it is, and what is refused."""

from dataclasses import replace

import pytest
import torch

from companion import Split, Splits, take_share


def made_up(labels, classes=("a", "b", "c")):
    labels = torch.as_tensor(labels)
    train = Split(torch.arange(len(labels), dtype=torch.float32).unsqueeze(1), labels)
    return Splits(train=train, val=train, classes=classes, name="made up", fingerprint="0" * 64, source="here")


@pytest.fixture
def splits():
    return made_up([0, 1, 2] * 40)


def chosen(splits):
    return splits.train.inputs.flatten().tolist()


def test_a_share_has_as_many_examples_as_it_says_each_with_its_own_label(splits):
    some = take_share(splits, 1 / 4, seed=3)
    assert len(some.train) == 30 and len(set(chosen(some))) == 30
    assert all(label == int(number) % 3 for number, label in zip(chosen(some), some.train.labels.tolist(), strict=True))
    assert some.val is splits.val and some.name == splits.name


def test_the_whole_share_is_every_example_once(splits):
    assert sorted(chosen(take_share(splits, 1))) == chosen(splits)


def test_a_smaller_share_lies_within_a_larger_one_of_the_same_seed_and_other_seeds_draw_others(splits):
    half, quarter = take_share(splits, 1 / 2, seed=1), take_share(splits, 1 / 4, seed=1)
    assert set(chosen(quarter)) < set(chosen(half))
    assert set(chosen(quarter)) != set(chosen(take_share(splits, 1 / 4, seed=2)))
    assert chosen(quarter) == chosen(take_share(splits, 1 / 4, seed=1))


def test_copies_repeat_each_chosen_example(splits):
    once, twice = take_share(splits, 1 / 4), take_share(splits, 1 / 4, copies=2)
    assert sorted(chosen(twice)) == sorted(chosen(once) * 2)


@pytest.mark.parametrize("share", [0, -0.1, 1.5, float("nan"), True, "half", None, 15_000])
def test_a_share_that_is_none_is_refused(share, splits):
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        take_share(splits, share)


@pytest.mark.parametrize("copies", [0, -1, 1.5, True])
def test_copies_that_are_no_number_of_times_are_refused(copies, splits):
    with pytest.raises(ValueError, match="copies is how often"):
        take_share(splits, 1, copies=copies)


def test_a_class_without_an_example_is_named():
    splits = made_up([0] * 50 + [1] * 50 + [2])
    seed = next(s for s in range(20) if 100 not in torch.randperm(101, generator=torch.Generator().manual_seed(s))[:25])
    with pytest.raises(
        ValueError, match=rf"among 25 of 101 .*\(share 0.25, seed {seed}\) there is none of the class c:"
    ):
        take_share(splits, 1 / 4, seed=seed)
    assert len(splits.train) == 101  # nothing is lost


def test_a_share_of_no_example_at_all_is_refused(splits):
    with pytest.raises(ValueError, match=r"among 0 of 120 .* none of the class a, b, c:"):
        take_share(splits, 0.001)


@pytest.mark.parametrize("dtype", [torch.int64, torch.float32, torch.bool, torch.uint8])
def test_one_hot_labels_are_named_as_what_they_are(dtype, splits):
    rows = torch.nn.functional.one_hot(splits.train.labels, 3).to(dtype)
    with pytest.raises(ValueError, match=r"one-hot rows, a tensor \(120, 3\) of .*: classes are meant.*argmax\(1\)"):
        take_share(replace(splits, train=Split(splits.train.inputs, rows)), 1 / 2)


@pytest.mark.parametrize("labels", [torch.rand(120), torch.rand(120, 3), torch.zeros(120, 3), torch.ones(120, 1, 1)])
def test_other_labels_than_classes_are_refused_with_their_shape(labels, splits):
    with pytest.raises(ValueError, match=r"are to be classes, whole numbers \(N,\), and not a tensor \(120"):
        take_share(replace(splits, train=Split(splits.train.inputs, labels)), 1 / 2)
