"""The chapter on recurrent and convolutional networks: what its own tests know of it."""

import pytest
from networks import reach
from reading import counted
from torch import nn


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    assert counted("rnn-vs-cnn") == [reach(*(nn.Conv1d(1, 1, 3, dilation=d) for d in (1, 2, 4)), flat=True)]


WORDS = ["padding", "LSTM", "speech", "spectrogram", "vanishing gradient", "backpropagation", "softmax"]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/rnn-vs-cnn" in search(words)
