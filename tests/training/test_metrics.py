"""Metrics by name: values item by item, and the six kinds of targets that the chapters need, against formulas by hand."""

import numpy as np
import pytest
import torch
from sklearn import metrics as sklearn_metrics
from small_runs import BATCH, full_batch, make_mlp, run, splits_of
from torch import nn
from torch.nn import functional as F

from companion import absolute_error, accuracy, binary_accuracy, squared_error
from companion.data.splits import Split
from companion.training.engine import evaluate, fit


def table(count, outputs=1, seed=0):
    """Rows of four numbers and targets that depend on them."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 4, generator=generator)
    return x, x @ torch.randn(4, outputs, generator=torch.Generator().manual_seed(9)) + 0.5


def made_up(make, *counts):
    train, val = (Split(*make(count, seed=seed)) for seed, count in enumerate(counts or (70, 41)))
    return splits_of(train, val)


def train(model, splits, loss_fn, metrics, *, epochs=3, lr=0.05, **options):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    options |= {"batch_size": BATCH, "seed": 0, "metrics": metrics}
    return fit(model, splits, epochs=epochs, optimizer=optimizer, loss_fn=loss_fn, **options)


def outputs_of(model, x):
    with torch.no_grad():
        return model(x)


# ----------------------------------------------------------------------------------------------- item by item, by hand


def test_the_accuracy_of_each_item_is_a_truth_value():
    outputs = torch.tensor([[0.1, 0.9], [2.0, 1.0], [0.0, 3.0]])
    assert accuracy(outputs, torch.tensor([1, 1, 1])).tolist() == [True, False, True]


def test_the_binary_accuracy_counts_the_logits_on_the_right_side():
    outputs = torch.tensor([[3.0, -1.0], [-2.0, -2.0]])
    targets = torch.tensor([[1.0, 1.0], [0.0, 0.0]])
    assert binary_accuracy(outputs, targets).tolist() == [0.5, 1.0]
    assert binary_accuracy(outputs[:, :1], targets[:, :1]).tolist() == [1.0, 1.0]
    assert binary_accuracy(outputs[:, 0], targets[:, 0]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("shape", [(7,), (7, 1), (7, 3), (7, 1, 4, 4)])
@pytest.mark.parametrize(
    ("metric", "witness"),
    [(absolute_error, sklearn_metrics.mean_absolute_error), (squared_error, sklearn_metrics.mean_squared_error)],
)
def test_errors_of_items_have_the_mean_that_scikit_learn_finds(metric, witness, shape):
    a, b = torch.randn(2, *shape, dtype=torch.float64)
    values = metric(a, b)
    assert values.shape == (7,)
    assert values.mean().item() == pytest.approx(witness(a.flatten().numpy(), b.flatten().numpy()), rel=1e-12)
    assert values[3].item() == pytest.approx(witness(np.ravel(a[3]), np.ravel(b[3])), rel=1e-12)


# --------------------------------------------------------------------------------------- the kinds of targets, in a fit


def test_a_regression_is_measured_by_name():
    splits = made_up(table)
    model = nn.Linear(4, 1)
    history = train(model, splits, F.mse_loss, {"mae": absolute_error, "mse": squared_error})
    assert history.metrics == ("loss", "mae", "mse")
    assert history.val_loss[-1] < history.val_loss[0]
    assert history.val_mse == pytest.approx(history.val_loss, rel=1e-6)
    assert history.running_mse == pytest.approx(history.running_loss, rel=1e-6)
    expected = (outputs_of(model, splits.val.inputs) - splits.val.labels).abs().double().mean().item()
    assert history.val_mae[-1] == pytest.approx(expected, rel=1e-6)


def test_a_binary_classifier_has_one_logit():
    splits = made_up(lambda count, seed: (table(count, seed=seed)[0], (table(count, seed=seed)[1] > 0).float()))
    model = nn.Linear(4, 1)
    history = train(model, splits, F.binary_cross_entropy_with_logits, {"accuracy": binary_accuracy}, lr=0.5)
    right = ((outputs_of(model, splits.val.inputs) > 0) == (splits.val.labels == 1)).double().mean().item()
    assert history.val_accuracy[-1] == pytest.approx(right, abs=1e-7)
    assert right > 0.8


def test_ten_outputs_with_binary_cross_entropy_have_two_accuracies():
    def digits(count, seed):
        labels = torch.randint(10, (count,), generator=torch.Generator().manual_seed(seed))
        return F.one_hot(labels, 10) + 0.1 * torch.randn(count, 10), F.one_hot(labels, 10).float()

    splits = made_up(digits)
    metrics = {"binary_accuracy": binary_accuracy, "accuracy": lambda o, t: o.argmax(1) == t.argmax(1)}
    history = train(nn.Linear(10, 10), splits, F.binary_cross_entropy_with_logits, metrics, lr=5.0)
    assert history.metrics == ("loss", "accuracy", "binary_accuracy")
    assert history.val_binary_accuracy[-1] > 0.85
    whole = splits_of(*(Split(p.inputs, p.labels.argmax(1)) for p in (splits.train, splits.val)))

    def on_classes(outputs, labels):
        return F.binary_cross_entropy_with_logits(outputs, F.one_hot(labels, 10).float())

    torch.manual_seed(0)
    same = [nn.Linear(10, 10)]
    same.append(nn.Linear(10, 10))
    same[1].load_state_dict(same[0].state_dict())
    one = train(same[0], splits, F.binary_cross_entropy_with_logits, {"accuracy": metrics["accuracy"]})
    two = train(same[1], whole, on_classes, {"accuracy": accuracy})
    assert one.curves == two.curves


def test_an_autoencoder_has_pictures_as_targets_and_may_have_no_metric():
    def pictures(count, seed):
        x = torch.rand(count, 1, 4, 4, generator=torch.Generator().manual_seed(seed))
        return x + 0.1, x

    model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.Conv2d(2, 1, 3, padding=1))
    splits = made_up(pictures)
    history = train(model, splits, F.mse_loss, {}, lr=0.1)
    assert history.metrics == ("loss",)
    assert set(history.curves) == {"running_loss", "train_loss", "val_loss"}
    error = (outputs_of(model, splits.val.inputs) - splits.val.labels).square().double().mean().item()
    assert history.val_loss[-1] == pytest.approx(error, rel=1e-6)
    assert evaluate(model, splits.val.inputs, splits.val.labels, F.mse_loss, metrics={}) == (history.val_loss[-1],)


def test_xor_with_outputs_without_a_second_dimension():
    x = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    part = Split(x, torch.tensor([0.0, 1, 1, 0]))
    model = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
    history = train(model, splits_of(part, part), F.mse_loss, {"mse": squared_error}, epochs=500, lr=0.1)
    assert history.val_loss[-1] == pytest.approx(0.25, abs=1e-3)  # a line can do no better than say ½ four times


def test_metrics_do_not_change_the_training(splits):
    models = [make_mlp(dropout=0.5) for _ in range(2)]
    histories = [
        run(model, splits, metrics=metrics) for model, metrics in zip(models, ({}, {"top": accuracy}), strict=True)
    ]
    assert histories[0].running_loss == histories[1].running_loss
    assert histories[0].val_loss == histories[1].val_loss


def test_an_accuracy_is_a_count_of_items_divided_by_their_number(splits):
    model = make_mlp()
    history = run(model, splits)
    hits = sum(accuracy(outputs_of(model, (splits.val.inputs.float() - 127.5) / 127.5), splits.val.labels).tolist())
    assert history.val_accuracy[-1] == hits / len(splits.val)


@pytest.mark.parametrize("batch_size", [1, 8, 41, 100])
def test_the_batch_size_does_not_change_a_metric(batch_size):
    x, y = table(41)
    model = nn.Linear(4, 1)
    found = evaluate(model, x, y, F.mse_loss, batch_size, {"mae": absolute_error, "mse": squared_error})
    expected = (F.mse_loss(model(x), y).item(), (model(x) - y).abs().mean().item(), F.mse_loss(model(x), y).item())
    assert found == pytest.approx(expected, rel=1e-5)


def test_evaluate_measures_the_accuracy_unless_told_otherwise(splits):
    model = make_mlp()
    found = evaluate(model, splits.val.inputs, splits.val.labels, F.cross_entropy)
    assert found == pytest.approx(full_batch(model, splits.val), rel=1e-5)
