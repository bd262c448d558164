"""Recorded runs as CSV and as the small table of a page: the metrics that each run has, in a fixed order, with its digits."""

import csv
import io
import json
from types import SimpleNamespace

import pytest

from companion.evidence import records
from companion.training.history import History

CURVES = ["running_loss", "running_accuracy", "train_loss", "train_accuracy", "val_loss", "val_accuracy"]


def rows_of(file):
    return json.loads(file.read_text(encoding="utf-8"))["runs"]


FILES = [  # those of loss and accuracy, which came first
    file
    for file in sorted(records.FOLDER.glob("*.json"))
    if all(
        {name for name in row["history"] if name.startswith("val_")} == {"val_loss", "val_accuracy"}
        for row in rows_of(file)
    )
]


def loaded(rows):
    return [records._run(row) for row in rows]


def run(curves, **setting):
    """A run of two epochs: {metric: its two validation values}; everything else is one."""
    named = {f"{part}_{metric}": (1.0, 1.0) for part in ("running", "train") for metric in curves}
    return records.Run(setting, 0, History(named | {f"val_{metric}": v for metric, v in curves.items()}, (1.0, 1.0)))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_csv_of_a_chapter_holds_the_numbers_of_its_file_in_the_order_that_it_always_had(file):
    rows = rows_of(file)
    read = csv.reader(io.StringIO(records.to_csv(records.Record(file.stem, loaded(rows)))))
    header = next(read)
    assert header[-9:] == ["seed", "epoch", *CURVES, "seconds"]
    for row in rows:
        for epoch, numbers in enumerate(zip(*(row["history"][name] for name in [*CURVES, "seconds"]), strict=True)):
            line = dict(zip(header, next(read), strict=True))
            assert {name: line[name] for name in row["setting"]} == {n: str(v) for n, v in row["setting"].items()}
            assert (line["seed"], line["epoch"]) == (str(row["seed"]), str(epoch + 1))
            assert [float(line[name]) for name in [*CURVES, "seconds"]] == list(numbers)
    assert next(read, None) is None


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_table_of_a_chapter_shows_what_its_file_says_at_three_digits(file):
    rows = rows_of(file)
    shown = records.runs_table(loaded(rows)).to_dict("records")
    for row, line in zip(rows, shown, strict=True):
        curves = row["history"]
        val = curves["val_accuracy"]
        expected = {**row["setting"], "seed": row["seed"]}
        for name in ("train_accuracy", "val_accuracy", "train_loss", "val_loss"):
            expected[name.replace("_", " ")] = f"{curves[name][-1]:.3f}"
        expected["best val accuracy"] = f"{max(val):.3f} (epoch {val.index(max(val)) + 1})"
        own = {name: value for name, value in line.items() if value == value}  # runs of other settings leave holes
        assert own == expected
    columns = list(records.runs_table(loaded(rows[:1])))[-6:]
    assert columns == ["seed", "train accuracy", "val accuracy", "train loss", "val loss", "best val accuracy"]


def test_a_run_without_accuracy_shows_its_errors_with_four_digits_and_the_lowest_one():
    (shown,) = records.runs_table(
        [run({"mae": (0.000312456, 0.5), "mse": (24.041, 434.0), "loss": (2.0, 1.0)})]
    ).to_dict("records")
    assert list(shown)[1:] == ["train mae", "val mae", "train mse", "val mse", "train loss", "val loss", "best val mae"]
    assert shown["best val mae"] == "0.0003125 (epoch 1)"
    assert (shown["val mse"], shown["val loss"]) == ("434", "1")


def test_the_best_epoch_is_that_of_the_highest_accuracy():
    (shown,) = records.runs_table([run({"binary_accuracy": (0.5, 0.75), "loss": (1.0, 2.0)})]).to_dict("records")
    assert shown["best val binary accuracy"] == "0.750 (epoch 2)"


@pytest.mark.parametrize("curves", [{"loss": (0.2, 0.7)}, {"psnr": (20.0, 10.0), "loss": (0.2, 0.7)}])
def test_without_a_metric_whose_direction_is_known_the_best_epoch_has_the_lowest_loss(curves):
    (shown,) = records.runs_table([run(curves)]).to_dict("records")
    assert shown["best val loss"] == "0.2 (epoch 1)"
    assert "best val psnr" not in shown


def test_a_regression_is_recorded_flat_and_read_back(monkeypatch):
    handed_over = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw, metadata: handed_over.append((bundle, metadata)))
    original = run({"mae": (0.25, 0.125), "loss": (2.0, 1.0)}, rate=0.5)
    records.record([original], SimpleNamespace(name="table", fingerprint="0" * 64, source="made up"))
    ((bundle, metadata),) = handed_over
    (kept,) = json.loads(json.dumps(metadata["companion_record"], sort_keys=True))["runs"]
    parts = [f"{part}_{metric}" for part in ("running", "train", "val") for metric in ("loss", "mae")]
    assert set(kept["history"]) == {*parts, "seconds", "device"}
    assert records._run(kept).history == original.history
    assert "best val mae" in bundle["text/plain"]
    again = records.to_csv(records.Record("x", (records._run(kept),)))
    assert (
        again.splitlines()[0]
        == "rate,seed,epoch,running_loss,running_mae,train_loss,train_mae,val_loss,val_mae,seconds"
    )
