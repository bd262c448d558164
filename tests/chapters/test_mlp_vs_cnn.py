"""The chapter on MLPs and CNNs: what its own tests know of it."""

import pytest
from reading import counted
from torch import nn

from companion import layer_table


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    assert counted("mlp-vs-cnn") == [layer_table(nn.Conv2d(2, 4, 3, padding=1), (2, 16, 16)).multiply_adds]


WORDS = ["translation", "baseline"]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/mlp-vs-cnn" in search(words)
