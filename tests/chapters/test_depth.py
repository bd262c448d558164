"""The chapter on depth: what its own tests know of it."""

import pytest
from networks import reach
from reading import counted, works_cited
from torch import nn


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    # ones as weights and a mean in place of the maximum: a maximum passes the gradient to one pixel only
    assert counted("depth") == [reach(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3), nn.AvgPool2d(2))]


def test_the_works_that_it_builds_on_lead_back_to_it():
    assert "simonyan2015very" in works_cited("depth")


WORDS = ["stride", "receptive field"]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/depth" in search(words)
