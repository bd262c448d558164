"""The chapter on transfer learning: what its own tests know of it."""

from reading import counted


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    """Products for one image over eight epochs, with and without keeping what the backbone made of it."""
    backbone, last, epochs = 1000, 10, 8
    recomputed = sum(backbone + 2 * last for _ in range(epochs))
    kept = backbone + sum(2 * last for _ in range(epochs))
    assert counted("transfer-learning") == [recomputed - kept]
