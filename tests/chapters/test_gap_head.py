"""The chapter on global average pooling: what its own tests know of it."""

import pytest
import torch
from reading import counted, works_cited
from torch import nn


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    cells = torch.zeros(1, 1, 4, 4)
    cells[0, 0, 2, 1] = 48
    assert counted("gap-head") == [nn.AdaptiveAvgPool2d(1)(cells).item()]


def test_the_works_that_it_builds_on_lead_back_to_it():
    assert "krizhevsky2009learning" in works_cited("gap-head")


WORDS = ["heatmap", "global average pooling"]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/gap-head" in search(words)
