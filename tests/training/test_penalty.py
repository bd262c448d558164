"""Keras' L2: against a loop by hand, and against PyTorch's weight decay in double precision."""

import pytest
import torch
from small_runs import floats, make_mlp, splits_of
from torch import nn
from torch.nn.functional import cross_entropy

from companion import fit, kernels, l2_penalty
from companion.data.splits import Split

COEFFICIENT = 0.01


def penalised(model, coefficient=COEFFICIENT):
    return lambda outputs, labels: cross_entropy(outputs, labels) + l2_penalty(kernels(model), coefficient)


def doubles(splits):
    train, val = (Split(floats(part.images).double(), part.labels) for part in (splits.train, splits.val))
    return splits_of(train, val)


def trained(model, splits, optimizer, loss_fn, epochs=4):
    return fit(model, splits, epochs=epochs, batch_size=32, optimizer=optimizer, loss_fn=loss_fn, seed=0)


def test_the_penalty_is_the_coefficient_times_the_sum_of_the_squares():
    model = nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[3.0, -4.0]]))
    assert l2_penalty(kernels(model), 0.1).item() == pytest.approx(2.5)
    assert l2_penalty(model[0].weight, 0.1).item() == pytest.approx(2.5)


def test_kernels_are_weights_without_biases_and_norms_and_each_once():
    model = nn.Sequential(nn.Embedding(5, 4), nn.Conv1d(4, 3, 2), nn.BatchNorm1d(3), nn.Linear(3, 2))
    assert [weight.shape for weight in kernels(model)] == [(5, 4), (3, 4, 2), (2, 3)]
    assert len(kernels(model[3], model[3])) == 1
    assert kernels(model[1])[0] is model[1].weight


def test_all_losses_contain_the_penalty_as_in_a_loop_by_hand(splits):
    model = make_mlp()
    history = trained(model, splits, torch.optim.SGD(model.parameters(), lr=0.1), penalised(model), epochs=1)
    witness, losses = make_mlp(), []
    shuffled = torch.randperm(70, generator=torch.Generator().manual_seed(0))
    for index in shuffled.split(32):
        loss = cross_entropy(witness(floats(splits.train.images[index])), splits.train.labels[index])
        loss = loss + COEFFICIENT * sum(witness[layer].weight.square().sum() for layer in (1, 4))
        grads = torch.autograd.grad(loss, list(witness.parameters()))
        with torch.no_grad():
            for parameter, grad in zip(witness.parameters(), grads, strict=True):
                parameter -= 0.1 * grad
        losses.append(loss.item() * len(index))
    assert history.running_loss[0] == pytest.approx(sum(losses) / 70, rel=1e-6)
    penalty = COEFFICIENT * sum((witness[layer].weight.double() ** 2).sum().item() for layer in (1, 4))
    for part in ("train", "val"):
        split = getattr(splits, part)
        plain = cross_entropy(witness(floats(split.images)), split.labels).item()
        assert getattr(history, f"{part}_loss")[0] == pytest.approx(plain + penalty, rel=1e-5)
        assert penalty > 0.01 * plain


@pytest.mark.parametrize("make", [torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW])
def test_the_gradient_is_that_of_a_weight_decay_of_twice_the_coefficient_but_for_adamw(make, splits):
    first, second = make_mlp().double(), make_mlp().double()
    trained(first, doubles(splits), make(first.parameters(), lr=0.01, weight_decay=0.0), penalised(first))
    rest = [parameter for parameter in second.parameters() if parameter.dim() == 1]
    groups = [{"params": kernels(second), "weight_decay": 2 * COEFFICIENT}, {"params": rest, "weight_decay": 0.0}]
    trained(second, doubles(splits), make(groups, lr=0.01), cross_entropy)
    apart = max((a - b).abs().max().item() for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert apart > 1e-3 if make is torch.optim.AdamW else apart < 1e-12


@pytest.mark.parametrize("coefficient", [-0.1, float("nan"), float("inf")])
def test_a_coefficient_that_is_none_is_refused(coefficient):
    with pytest.raises(ValueError, match="a number from 0 up, not"):
        l2_penalty(kernels(nn.Linear(2, 1)), coefficient)


def test_nothing_to_put_a_penalty_on_is_refused():
    with pytest.raises(ValueError, match="no weights with more than one dimension"):
        kernels(nn.BatchNorm1d(3))
    with pytest.raises(ValueError, match="no weights to put"):
        l2_penalty([], 0.1)
