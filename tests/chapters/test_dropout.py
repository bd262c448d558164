"""The chapter on dropout: what its own tests know of it."""

import pytest
import torch
from reading import counted, works_cited
from torch import nn


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    torch.manual_seed(0)
    survivor = nn.Dropout(0.25).train()(torch.full((100,), 3.0)).max().item()
    assert counted("dropout") == [survivor]


def test_the_works_that_it_builds_on_lead_back_to_it():
    assert "krizhevsky2009learning" in works_cited("dropout")


WORDS = [
    "overfitting",
    "underfitting",
    "dropout",
    "learning rate",
    "regularization",
    "hyperparameters",
    "confidence interval",
    "early stopping",
]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/dropout" in search(words)
