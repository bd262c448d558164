"""A share of the training images: drawn by a seed, every class in it."""

import pytest
import torch

from companion import DataError, load_dataset, training_share


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits")


def rows(images):
    return {bytes(image) for image in images.flatten(1).numpy()}


def test_a_share_holds_so_many_different_images_of_the_set_with_their_labels(digits):
    share = training_share(digits, 100, seed=1)
    of = {
        bytes(x): y for x, y in zip(digits.train.images.flatten(1).numpy(), digits.train.labels.tolist(), strict=True)
    }
    assert len(share.train) == 100 == len(rows(share.train.images))
    found = [of[bytes(x)] for x in share.train.images.flatten(1).numpy()]
    assert found == share.train.labels.tolist()
    assert torch.equal(share.val.images, digits.val.images)


def test_the_seed_draws_the_share(digits):
    one, again, other = (training_share(digits, 50, seed).train.images for seed in (0, 0, 1))
    assert torch.equal(one, again) and not torch.equal(one, other)


def test_a_small_share_lies_in_the_larger_one_of_its_seed(digits):
    assert rows(training_share(digits, 50, 2).train.images) < rows(training_share(digits, 200, 2).train.images)


def test_all_images_stay_in_their_order(digits):
    assert torch.equal(training_share(digits, 1437, 3).train.images, digits.train.images)


@pytest.mark.parametrize("images", [0, -5, 1438, 2.5, True, "10"])
def test_more_images_than_there_are_or_none_are_refused(digits, images):
    with pytest.raises(DataError, match="how many of the 1,437 training images"):
        training_share(digits, images, 0)


def test_a_class_without_an_image_is_named(digits):
    with pytest.raises(DataError, match=r"a share of 3 images holds none of class 0, "):
        training_share(digits, 3, next(s for s in range(20) if not (training_seen(digits, s) == 0).any()))


def training_seen(digits, seed):
    import numpy as np

    return digits.train.labels[torch.from_numpy(np.random.RandomState(seed).permutation(1437)[:3])]


def test_a_seed_that_is_none_is_refused(digits):
    with pytest.raises(DataError, match="split is the number"):
        training_share(digits, 10, -1)
