"""The chapter on augmentation: what its own tests know of it."""

import pytest
import torch
from reading import counted
from torch import nn


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    """Distinct windows of an image with a margin of 2, plain and mirrored."""
    padded = nn.functional.pad(torch.arange(1.0, 65).view(8, 8), (2, 2, 2, 2))
    windows = [padded[top : top + 8, left : left + 8] for top in range(5) for left in range(5)]
    variants = {tuple(w.flatten().tolist()) for window in windows for w in (window, window.flip(1))}
    assert counted("augmentation") == [len(variants)]


WORDS = ["data augmentation"]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/augmentation" in search(words)
