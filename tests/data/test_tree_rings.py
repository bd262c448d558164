"""Drawn trunks and their rings."""

import numpy as np
import pytest
import torch
from data_files import both

from companion.data import tree_rings
from companion.data.ages import AGE_GROUPS
from companion.data.tree_rings import DECADE_SHARES, load_tree_rings


@pytest.fixture(scope="module")
def rings():
    return load_tree_rings()


def test_tree_rings_are_1400_pictures_with_the_unevenness_of_the_real_ages(rings):
    for split, count in ((rings.train, 1000), (rings.val, 400)):
        assert split.images.shape == (count, 3, 56, 56)
        assert split.images.dtype == torch.uint8
        assert torch.equal(split.labels, split.ages - 1)
    ages = both(rings, "ages")
    assert (ages.min(), ages.max()) >= (1, 100)
    assert ages.max() <= 116
    expected = torch.tensor(DECADE_SHARES) / sum(DECADE_SHARES) * 1400
    found = (ages // 10).bincount(minlength=12)
    assert ((found - expected).abs() < 4 * expected.sqrt() + 1).all()


def test_the_four_groups_label_the_same_trees():
    groups, years = (load_tree_rings(labels, n_train=100, n_val=50) for labels in ("group", "age"))
    assert torch.equal(groups.train.images, years.train.images)
    assert groups.train.labels.tolist() == [sum(age >= start for start in (18, 36, 72)) for age in years.train.ages]
    assert groups.classes == AGE_GROUPS


def test_tree_rings_are_the_same_bytes_on_every_machine(rings):
    assert rings.fingerprint == "54a7dc107e6869a7c5bf57690b8d0ef9fde9cab1bf544f1c110346c1f1c22bc7"
    larger = load_tree_rings(n_train=2000, n_val=500, size=64)
    assert larger.fingerprint == "31755a5ce0b09f310b9faef16bb3468e8326728669708d765bb04809b5ce86f2"


def test_another_held_out_draws_other_trees(rings):
    other = load_tree_rings(held_out=1, n_train=20, n_val=10)
    assert not torch.equal(other.train.images, rings.train.images[:20])
    same = load_tree_rings(held_out=1, n_train=20, n_val=10)
    assert torch.equal(other.train.images, same.train.images)
    assert torch.equal(other.val.images, same.val.images)


def dark_lines(red, wood):
    """How many years end, along the red values (T,) from the centre to the bark: light is reached once a year."""
    middle = (tree_rings._LIGHT[wood][0] + tree_rings._LATE[wood][0]) / 2
    light = red[: np.flatnonzero(red == tree_rings._BARK[0])[0]] > middle
    return light[0] + (light[1:] & ~light[:-1]).sum()


@pytest.mark.parametrize("wood", [0, 1])
def test_the_number_of_rings_is_the_age(wood):
    """Counted in trunks so large that every ring is many pixels wide."""
    for age in (*range(1, 117, 5), 115):
        assert dark_lines(tree_rings._colours(np.random.RandomState(age), age, wood, 2000)[:, 0], wood) == age


class Middle(np.random.RandomState):
    """Random numbers without chance, from the middle of each range: a round trunk, its centre 5 % from the upper left."""

    def uniform(self, low, high, size=None):
        return np.full(size or (), (low + high) / 2)

    def randint(self, low, high=None, size=None):
        low, high = (0, low) if high is None else (low, high)
        return np.full(size or (), (low + high - 1) // 2)


@pytest.mark.parametrize("wood", [0, 1])
def test_the_rings_can_be_counted_in_a_large_picture_to_the_right_and_downwards(wood):
    for age in (1, 5, 12, 28, 50):
        red = tree_rings._trunk(Middle(), age, wood, 500)[0]
        assert dark_lines(red[25, 25:], wood) == dark_lines(red[25:, 25], wood) == age


def test_older_trees_are_larger_and_the_whole_trunk_is_in_the_picture(rings):
    images, ages = rings.train.images.float(), rings.train.ages
    pale = torch.from_numpy(rings.train.traits["wood"] == "pale")
    smooth = torch.nn.functional.avg_pool2d(images[pale], 8)
    wood = ((smooth[:, 0] - smooth[:, 2]) > 40).float().mean((1, 2))  # more red than blue: no background is
    order = torch.stack([wood.argsort().argsort(), ages[pale].argsort().argsort()]).float()
    assert torch.corrcoef(order)[0, 1] > 0.85
    assert (wood == 1).float().mean() < 0.02
    assert 0.2 < 1 - pale.float().mean() < 0.3
