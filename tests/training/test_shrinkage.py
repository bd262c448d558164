"""What a squared penalty does to a weight in one step of SGD."""

import pytest
import torch

from companion import l2_penalty, shrink_factor


@pytest.mark.parametrize(("rate", "coefficient"), [(0.1, 0.05), (0.01, 0.0), (0.5, 0.9)])
def test_it_is_what_a_step_of_sgd_on_the_penalty_alone_does(rate, coefficient):
    weight = torch.nn.Parameter(torch.tensor([[3.0, -0.5]], dtype=torch.float64))
    before = weight.detach().clone()
    l2_penalty([weight], coefficient).backward()
    torch.optim.SGD([weight], lr=rate).step()
    assert torch.allclose(weight.detach(), before * shrink_factor(rate, coefficient))


@pytest.mark.parametrize(("rate", "coefficient"), [(0.1, 5.0), (1.0, 0.5), (10.0, 1.0)])
def test_a_penalty_that_would_flip_the_weights_is_refused_in_a_sentence(rate, coefficient):
    with pytest.raises(ValueError, match="twice their product must be below 1"):
        shrink_factor(rate, coefficient)


@pytest.mark.parametrize(("rate", "coefficient"), [(-0.1, 0.0), (0.1, -1.0), (float("nan"), 0.1), (0.1, float("inf"))])
def test_a_rate_or_a_coefficient_that_is_no_number_from_0_up_is_refused(rate, coefficient):
    with pytest.raises(ValueError, match="a number from 0 up"):
        shrink_factor(rate, coefficient)
