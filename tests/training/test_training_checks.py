"""What `fit` and `evaluate` refuse, in a sentence and before anything is trained."""

import copy

import pytest
import torch
from small_runs import BATCH, N_VAL, floats, make_mlp, make_split, run, same_weights, splits_of
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from companion.data.splits import Split
from companion.models.images import small_cnn
from companion.training.engine import evaluate, fit, predict
from companion.training.history import TrainingDiverged
from companion.training.metrics import accuracy


def test_a_loss_that_is_not_finite_stops_with_the_epoch_and_advice(splits):
    with pytest.raises(TrainingDiverged, match=r"loss became (nan|inf) in epoch 1: try a smaller learning rate"):
        run(make_mlp(), splits, lr=1e30)


def test_bad_values_in_the_data_stop_the_training(splits):
    images = floats(splits.train.images)
    images[69, 0, 0, 0] = float("nan")
    bad = splits_of(Split(images, splits.train.labels), splits.val)
    with pytest.raises(TrainingDiverged, match="bad values in the data"):
        run(make_mlp(), bad)


def test_weights_that_the_very_last_step_ruined_are_noticed(splits):
    one_batch = splits_of(make_split(BATCH, 1), splits.val)
    with pytest.raises(TrainingDiverged):
        run(make_mlp(), one_batch, epochs=1, lr=1e38)


@pytest.mark.parametrize("part", ["train", "val"])
def test_an_empty_split_is_refused(part, splits):
    parts = {"train": splits.train, "val": splits.val, part: make_split(0, 0)}
    empty = splits_of(**parts)
    with pytest.raises(ValueError, match="must not be empty"):
        run(make_mlp(), empty)


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch_size": 0}, {"epochs": -1}])
def test_less_than_one_epoch_or_image_is_refused(wrong, splits):
    model = make_mlp()
    options = {"epochs": 1, "batch_size": 1, **wrong}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="at least 1"):
        fit(model, splits, **options, optimizer=optimizer, loss_fn=cross_entropy, seed=0)


def test_evaluating_an_empty_set_is_refused():
    with pytest.raises(ValueError, match="the set is empty"):
        evaluate(make_mlp(), torch.zeros(0, 3, 8, 8), torch.zeros(0, dtype=torch.int64), cross_entropy)


@pytest.mark.parametrize(("split", "label"), [("train", 3), ("val", 3), ("train", -1)])
def test_labels_that_are_no_classes_are_refused_before_training(splits, split, label):
    splits = copy.deepcopy(splits)
    getattr(splits, split).labels[5] = label
    model = make_mlp()
    before = [parameter.clone() for parameter in model.parameters()]
    low, high = (-1, 2) if label < 0 else (0, 3)
    with pytest.raises(ValueError, match=rf"labels run from {low} to {high}, but the network has 3 outputs.* 0 to 2"):
        run(model, splits)
    assert all(map(torch.equal, before, model.parameters()))


def test_evaluate_refuses_labels_that_are_no_classes(splits):
    with pytest.raises(ValueError, match="labels run from 0 to 7, but the network has 3 outputs"):
        evaluate(make_mlp(), splits.val.images, torch.tensor([0, 7] + [1] * (N_VAL - 2)), cross_entropy)


@pytest.mark.parametrize("rate", [1.0, 1])
def test_a_dropout_rate_of_one_is_refused(splits, rate):
    with pytest.raises(ValueError, match=f"at least 0 and below 1, not {rate}: at 1 every unit is off"):
        run(make_mlp(dropout=rate), splits)


@pytest.mark.parametrize("rate", [-0.5, 1.5])
def test_a_dropout_rate_that_is_no_probability_is_refused_when_the_network_is_built(rate):
    with pytest.raises(ValueError, match="between 0 and 1"):
        small_cnn(dropout=rate)


# ---------------------------------------------------------------------------------------------- targets and outputs


def table(targets, count=10):
    part = Split(torch.randn(count, 4), targets)
    return splits_of(part, part)


def fit_table(model, splits, loss_fn=mse_loss, batch_size=4, **options):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    options = {"metrics": {}, "epochs": 1, **options}
    return fit(model, splits, batch_size=batch_size, optimizer=optimizer, loss_fn=loss_fn, seed=0, **options)


WRONG_TARGETS = {
    "prices without their second dimension": (
        torch.randn(10),
        1,
        r"\(N,\) \(float32\), the network's outputs \(N, 1\)",
    ),
    "one logit and whole numbers": (torch.tensor([0, 1] * 5), 1, r"\(N,\) \(int64\), the network's outputs \(N, 1\)"),
    "whole numbers in the outputs' shape": (torch.ones(10, 3, dtype=torch.int64), 3, r"\(N, 3\) \(int64\)"),
    "standardised prices for classes": (torch.randn(10), 10, r"\(N,\) \(float32\), the network's outputs \(N, 10\)"),
    "as many one-hot targets as items": (torch.eye(10)[:, :9], 10, r"\(N, 9\) .*\(N, 10\)"),
    "truth values": (torch.ones(10, dtype=torch.bool), 2, r"\(N,\) \(bool\)"),
    "doubles, as NumPy makes them": (torch.randn(10, 1).double(), 1, r"\(N, 1\) \(float64\).*\(N, 1\) \(float32\)"),
    "pictures of bytes": (torch.zeros(10, 3, dtype=torch.uint8), 3, r"\(uint8\).*\(float32\)"),
}


@pytest.mark.parametrize("case", WRONG_TARGETS)
def test_targets_that_do_not_fit_the_outputs_are_refused_with_both_shapes(case):
    targets, outputs, message = WRONG_TARGETS[case]
    splits, model = table(targets), nn.Linear(4, outputs)
    before = [parameter.clone() for parameter in model.parameters()]
    with pytest.raises(ValueError, match=message) as refusal:
        fit_table(model, splits)
    assert "whole numbers (N,) for outputs (N, C)" in str(refusal.value)
    assert all(map(torch.equal, before, model.parameters()))
    with pytest.raises(ValueError, match=message):
        evaluate(model, splits.val.inputs, targets, mse_loss, metrics={})


def test_the_validation_targets_are_looked_at_before_training():
    splits = splits_of(Split(torch.randn(8, 4), torch.randn(8, 1)), Split(torch.randn(8, 4), torch.randn(8)))
    with pytest.raises(ValueError, match=r"\(N,\) \(float32\)"):
        fit_table(nn.Linear(4, 1), splits)


def test_accuracy_on_targets_that_are_no_classes_names_other_metrics():
    with pytest.raises(ValueError, match=r"accuracy compares the largest output with a class.* choose other metrics"):
        fit_table(nn.Linear(4, 1), table(torch.randn(10, 1)), metrics={"accuracy": lambda o, t: accuracy(o, t)})
    with pytest.raises(ValueError, match="choose other metrics"):
        evaluate(nn.Linear(4, 1), torch.randn(10, 4), torch.randn(10, 1), mse_loss)


def test_as_many_targets_as_inputs_are_needed():
    with pytest.raises(ValueError, match="there are 10 inputs and 1 targets"):
        evaluate(nn.Linear(4, 1), torch.randn(10, 4), torch.randn(1, 1), mse_loss, metrics={})


class Pooled(nn.Linear):
    """Takes the mean over the items, by mistake."""

    def forward(self, x):
        return super().forward(x).mean(0, keepdim=True)


def test_outputs_of_another_number_of_items_are_not_broadcast():
    with pytest.raises(ValueError, match=r"a batch of 4 items has outputs \(1, 1\): their first dimension is to be 4"):
        fit_table(Pooled(4, 1), table(torch.randn(10, 1)))


# ---------------------------------------------------------------------------------------------- losses and metrics


def test_a_metric_that_is_a_mean_already_is_refused():
    with pytest.raises(
        ValueError, match=r"the metric 'mae' gives a tensor \(\) for 4 items: .* one value for each, \(4,\)"
    ):
        fit_table(nn.Linear(4, 1), table(torch.randn(10, 1)), metrics={"mae": lambda o, t: (o - t).abs().mean()})


def test_a_metric_that_gives_several_values_for_an_item_is_refused():
    with pytest.raises(ValueError, match=r"the metric 'mae' gives a tensor \(4, 1\)"):
        fit_table(nn.Linear(4, 1), table(torch.randn(10, 1)), metrics={"mae": lambda o, t: (o - t).abs()})


def test_a_loss_that_is_no_mean_is_refused():
    with pytest.raises(
        ValueError, match=r"loss of a batch is one number, its mean over the items, not a tensor \(4, 1\)"
    ):
        fit_table(nn.Linear(4, 1), table(torch.randn(10, 1)), nn.MSELoss(reduction="none"))


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ([accuracy], "given by name"),
        (accuracy, "given by name"),
        ({"loss": accuracy}, "and not loss"),
        ({"top 5": accuracy}, "a name like mae"),
        ({"accuracy": 0.5}, "a function with a name"),
        (None, "given by name"),
    ],
)
def test_metrics_without_a_proper_name_are_refused(metrics, message, splits):
    with pytest.raises(ValueError, match=message):
        run(make_mlp(), splits, metrics=metrics)
    with pytest.raises(ValueError, match=message):
        evaluate(make_mlp(), splits.val.images, splits.val.labels, cross_entropy, metrics=metrics)


def test_a_metric_that_is_not_finite_is_named():
    with pytest.raises(ValueError, match="running_psnr became inf in epoch 1, with finite losses"):
        fit_table(
            nn.Linear(4, 1), table(torch.randn(10, 1)), metrics={"psnr": lambda o, t: torch.full((len(t),), torch.inf)}
        )


# --------------------------------------------------------------------------------------------- what cannot be trained


class Constant(nn.Module):
    """Three scores, whatever it sees; no parameters."""

    def forward(self, x):
        return torch.tensor([[0.0, 1.0, 0.0]]).expand(len(x), -1)


def test_a_model_without_parameters_is_evaluated_and_predicts(splits):
    loss, right = evaluate(Constant(), splits.val.images, splits.val.labels, cross_entropy)
    assert right == (splits.val.labels == 1).sum().item() / N_VAL
    assert loss > 0
    assert predict(Constant(), splits.val.images).shape == (N_VAL, 3)


@pytest.mark.parametrize("model", [Constant(), make_mlp().requires_grad_(False)], ids=["no parameters", "all frozen"])
def test_nothing_to_train_is_said_before_training(model, splits):
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1)
    with pytest.raises(ValueError, match="nothing to train: the model has no parameter that requires a gradient"):
        fit(model, splits, epochs=1, batch_size=8, optimizer=optimizer, loss_fn=cross_entropy, seed=0)


def normalised():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))


@pytest.mark.parametrize("batch_size", [1, 3, 9])
def test_a_last_batch_of_one_item_and_batch_norm_are_refused_before_training(batch_size):
    model, splits = normalised(), table(torch.randn(10, 1))
    with pytest.raises(
        ValueError, match=r"batch of this epoch holds a single item, and batch norm.* that 10 items leave no"
    ):
        fit_table(model, splits, batch_size=batch_size)
    assert same_weights(model, normalised())
    assert model[1].num_batches_tracked == 0


def test_the_callers_own_batches_of_one_item_are_refused_with_batch_norm():
    with pytest.raises(ValueError, match="holds a single item"):
        fit_table(normalised(), table(torch.randn(10, 1)), batches=lambda generator: torch.arange(10).split([5, 1, 4]))


@pytest.mark.parametrize("batch_size", [2, 4, 10])
def test_batch_norm_trains_on_batches_of_two_or_more(batch_size):
    assert fit_table(normalised(), table(torch.randn(10, 1)), batch_size=batch_size).epochs == 1


def test_batch_norm_on_pictures_trains_on_one_item():
    part = Split(torch.randn(5, 3, 4, 4), torch.randn(5, 2, 4, 4))
    model = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), nn.BatchNorm2d(2))
    assert fit_table(model, splits_of(part, part), batch_size=4).epochs == 1


def test_a_frozen_batch_norm_does_not_mind_a_single_item():
    class Frozen(nn.BatchNorm1d):
        def train(self, mode=True):
            return super().train(False)

    model = nn.Sequential(nn.Linear(4, 3), Frozen(3), nn.Linear(3, 1))
    assert fit_table(model, table(torch.randn(10, 1)), batch_size=9).epochs == 1
