"""Sequences of different lengths in one tensor."""

import pytest
import torch

from companion.data import padding


def test_an_empty_sequence_is_refused_before_it_can_pass_for_padding():
    with pytest.raises(ValueError, match=r"sequence 1 .* is empty"):
        padding.pad([[1, 2], []])
    with pytest.raises(ValueError, match=r"sequence 0 .* is empty"):
        padding.pad_frames([torch.ones(0, 3), torch.ones(2, 3)])
