"""Evaluation mode for a while, and each module's own mode after it."""

import pytest
from torch import nn

from companion.models.modes import evaluation_mode


def mixed():
    """In training but for a frozen batch normalisation, as in fine-tuning."""
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.BatchNorm1d(2), nn.Dropout()))
    model[1][0].eval()
    return model


def modes(model):
    return [module.training for module in model.modules()]


def test_inside_everything_is_evaluated_and_afterwards_each_module_has_its_own_mode():
    model = mixed()
    before = modes(model)
    with evaluation_mode(model) as same:
        assert same is model
        assert not any(modes(model))
    assert modes(model) == before == [True, True, True, False, True]


def test_an_error_inside_leaves_no_module_in_another_mode():
    model = mixed()
    before = modes(model)
    with pytest.raises(RuntimeError, match="within"), evaluation_mode(model):
        raise RuntimeError("within")
    assert modes(model) == before
