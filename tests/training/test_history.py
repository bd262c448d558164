"""Learning curves by name: what they are called, in which order they come, and that a record's row gives them back."""

import copy
import json
import pickle
import subprocess
import sys

import pytest
from small_runs import make_mlp, run

from companion.evidence import records
from companion.training.history import History, join_histories


def history(*metrics, epochs=2):
    names = [f"{part}_{metric}" for part in ("val", "train", "running") for metric in (*metrics, "loss")]
    return History({name: (0.5,) * epochs for name in names}, (1.0,) * epochs)


def test_curves_are_read_by_their_names(splits):
    of_run = run(make_mlp(), splits)
    assert of_run.val_loss is of_run.curves["val_loss"]
    assert {"val_loss", "running_accuracy", "epochs"} <= set(dir(of_run))


def test_a_curve_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(
        AttributeError, match=r"no curve 'val_accuracy'; it has running_loss, running_mae, train_loss, tr"
    ):
        history("mae").val_accuracy  # noqa: B018
    assert not hasattr(history("mae"), "val_accuracy")


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda h: pickle.loads(pickle.dumps(h))])
def test_a_history_survives_being_copied_and_sent_to_another_process(again):
    original = history("accuracy")
    other = again(original)
    assert other == original
    assert other.val_accuracy == (0.5, 0.5)
    with pytest.raises(AttributeError, match="no curve 'nonsense'"):
        other.nonsense  # noqa: B018


def test_the_loss_comes_first_and_the_metrics_follow_by_the_alphabet():
    assert history("mse", "mae").metrics == ("loss", "mae", "mse")
    assert history().metrics == ("loss",)
    assert list(history("mse", "accuracy").curves)[:4] == [
        "running_loss",
        "running_accuracy",
        "running_mse",
        "train_loss",
    ]


@pytest.mark.parametrize("metrics", [(), ("accuracy",), ("mse", "binary_accuracy", "accuracy")])
def test_a_row_gives_its_history_back_whatever_the_order_of_its_keys(metrics):
    original = history(*metrics, epochs=3)
    as_kept = json.loads(json.dumps(original.to_row(), sort_keys=True))  # a notebook sorts its metadata
    again = History.from_row(as_kept)
    assert again == original
    assert list(again.curves) == list(original.curves)
    assert list(again.to_row()) == list(original.to_row())


def test_every_recorded_run_is_read_with_the_values_of_its_file():
    files, runs = sorted(records.FOLDER.glob("*.json")), 0
    for file in files:
        rows = json.loads(file.read_text(encoding="utf-8"))["runs"]
        read = [History.from_row(row["history"]) for row in rows]
        for row, one in zip(rows, read, strict=True):
            kept = {name: tuple(v) if isinstance(v, list) else v for name, v in row["history"].items()}
            assert one.to_row() == kept
            assert all(getattr(one, name) == kept[name] for name in kept)
            assert one.epochs == len(kept["val_loss"]) == len(one.seconds)
            metrics = {name.removeprefix("val_") for name in kept if name.startswith("val_")}
            assert set(one.metrics) == metrics and one.metrics[0] == "loss"
        runs += len(rows)
    assert len(files) >= 7
    assert runs >= 516


def test_curves_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match=r"one number for each epoch, not .*'val_loss': 3"):
        History({"train_loss": (1.0, 1.0), "val_loss": (1.0, 1.0, 1.0)})


def test_histories_of_stages_are_joined_in_their_order(splits):
    model = make_mlp()
    stages = [run(model, splits, epochs=epochs, seed=epochs) for epochs in (2, 1)]
    whole = join_histories(stages)
    assert whole.epochs == 3
    assert whole.device == stages[0].device
    for name, curve in {**whole.curves, "seconds": whole.seconds}.items():
        assert curve == getattr(stages[0], name) + getattr(stages[1], name)
    with pytest.raises(ValueError, match="no histories"):
        join_histories([])


def test_histories_of_other_metrics_do_not_join():
    with pytest.raises(ValueError, match=r"do not join: \('loss', 'mae'\) and \('loss',\)"):
        join_histories([history("mae"), history()])


def test_histories_and_records_are_read_without_torch():
    code = "import sys, companion.evidence.records as r; r.load_record('depth'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
