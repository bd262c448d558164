"""One permutation of the pixels for all images: nothing is lost, and what is no permutation is refused."""

import pytest
import torch

from companion import DataError, inverse_permutation, load_dataset, permute, permuted, pixel_permutation
from companion.data.splits import Split


def picture(*shape):
    return torch.arange(torch.tensor(shape).prod()).view(shape)


def test_pixel_i_of_the_new_image_is_pixel_order_i_of_the_old_one_in_every_channel():
    images, order = picture(2, 3, 2, 2), [2, 0, 3, 1]
    new = permute(images, order)
    for image in range(2):
        for channel in range(3):
            old = images[image, channel].flatten().tolist()
            assert new[image, channel].flatten().tolist() == [old[place] for place in order]


def test_the_inverse_puts_everything_back_and_the_images_handed_over_stay_as_they_are():
    images = picture(4, 1, 28, 28).to(torch.uint8)
    kept, order = images.clone(), pixel_permutation(784, 3)
    assert torch.equal(permute(permute(images, order), inverse_permutation(order)), images)
    assert torch.equal(images, kept) and permute(images, order).dtype == torch.uint8


def test_a_random_order_holds_each_number_once_and_depends_on_the_seed_alone():
    order = pixel_permutation(50, 1)
    assert sorted(order.tolist()) == list(range(50)) and order.tolist() != list(range(50))
    assert torch.equal(order, pixel_permutation(50, 1)) and not torch.equal(order, pixel_permutation(50, 2))


def test_training_and_validation_are_permuted_alike_and_labels_stay():
    splits, order = load_dataset("digits"), pixel_permutation(784, 0)
    changed = permuted(splits, order)
    for part in ("train", "val"):
        old, new = getattr(splits, part), getattr(changed, part)
        assert torch.equal(new.images.flatten(2), old.images.flatten(2)[:, :, order])
        assert torch.equal(new.labels, old.labels)
    assert changed.fingerprint == splits.fingerprint and changed.test is None


def test_a_test_part_is_permuted_too():
    from dataclasses import replace

    splits = load_dataset("digits")
    splits = replace(splits, test=Split(splits.val.images[:3], splits.val.labels[:3]))
    order = pixel_permutation(784, 0)
    assert torch.equal(permuted(splits, order).test.images, permute(splits.test.images, order))


NO_PERMUTATIONS = {
    (0, 1, 1, 3): "names pixel 1 2 times and pixel 2 never",
    (0, 1, 2): "has 3 places, but a picture has 4 pixels",
    (0, 1, 2, 3, 4): "has 5 places, but a picture has 4 pixels",
    (0, 1, 2, 4): "names places 0 to 3, but this one names 4",
    (-1, 0, 1, 2): "names places 0 to 3, but this one names -1",
    (0.0, 1.0, 2.0, 3.0): "a list of whole numbers",
    (): "a list of whole numbers",
    ((0, 1), (2, 3)): "a list of whole numbers",
    (True, False, True, False): "a list of whole numbers",
    "abcd": "a list of whole numbers",
}


@pytest.mark.parametrize(("order", "sentence"), NO_PERMUTATIONS.items(), ids=str)
def test_what_is_no_permutation_is_refused_in_a_sentence(order, sentence):
    with pytest.raises(DataError, match=sentence) as caught:
        permute(picture(2, 1, 2, 2), order if isinstance(order, str) else list(order))
    assert "\n" not in str(caught.value)


def test_an_inverse_of_what_is_no_permutation_is_refused():
    with pytest.raises(DataError, match="names pixel 0 2 times and pixel 1 never"):
        inverse_permutation([0, 0])


def test_what_has_no_pixels_is_refused():
    with pytest.raises(DataError, match=r"not a tensor \(5, 4\)"):
        permute(torch.zeros(5, 4), [0, 1, 2, 3])
    with pytest.raises(DataError, match="at least one pixel"):
        pixel_permutation(0, 0)
    with pytest.raises(DataError, match="split is the number"):
        pixel_permutation(4, -1)
