"""Data sets by name."""

from data_files import refusal

from companion.data import load_dataset


def test_load_dataset_finds_a_set_by_name():
    assert load_dataset("digits").name == "digits"


def test_load_dataset_names_the_sets_there_are():
    message = refusal(load_dataset, "imagenet")
    assert "imagenet" in message
    assert all(name in message for name in ("photo_digits", "digits", "cifar10", "mnist"))


def test_load_dataset_names_an_option_that_a_set_does_not_have():
    assert "no option 'split'; it has size" in refusal(lambda: load_dataset("digits", split=1))
    assert "no option 'hand'; it has held_out" in refusal(lambda: load_dataset("digit_rows", hand=1))
