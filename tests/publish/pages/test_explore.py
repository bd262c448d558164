"""What the page that explores the runs is given: the runs themselves, and the reports' numbers beside the right ones."""

import json

import pytest
from books import ROOT

from companion import load_claims, load_record
from companion.publish.notebooks.verdicts import committed_verdicts
from companion.publish.pages import explore

CHAPTERS = list(explore.recorded(ROOT))


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_run_is_there_once_with_its_curves(chapter):
    record = load_record(chapter)
    data = explore.payload(record)
    names = [curve for curve, *_ in data["curves"]]
    given = [
        (seed, {name: tuple(values) for name, values in zip(names, curves, strict=True) if values})
        for setting in data["settings"]
        for seed, _, curves in setting["runs"]
    ]
    assert sorted(given, key=str) == sorted(((run.seed, run.history.curves) for run in record.runs), key=str)
    assert len({setting["name"] for setting in data["settings"]}) == len(data["settings"])


def test_a_best_epoch_is_read_where_the_validation_curve_is_best_and_at_the_first_such_epoch():
    run = load_record("dropout").runs[0]
    by_loss = min(range(run.history.epochs), key=run.history.val_loss.__getitem__)
    assert explore.value_at(run, "val_accuracy", "val_loss") == run.history.val_accuracy[by_loss]
    assert explore.value_at(run, "val_accuracy", "val_accuracy") == max(run.history.val_accuracy)
    assert explore.value_at(run, "train_loss", "last") == run.history.train_loss[-1]
    assert explore.value_at(run, "train_mae", "last") is None


def test_a_report_s_number_stands_beside_the_runs_that_its_verdict_compared():
    found = committed_verdicts(ROOT)
    data = explore.payload(load_record("depth"), found)
    for setting, curve, kind, row, report, printed, half, _ in data["claims"]:
        (part,) = found[row].parts
        runs = data["settings"][setting]["runs"]
        assert data["kinds"][kind][0] == "last" and report == load_claims()[row].report == "A"
        assert sorted(curves[curve][-1] for _, _, curves in runs) == sorted(part.values)
        assert str(load_claims()[row].reported) == printed and half == 0.005
    assert len(data["claims"]) == 8  # of two networks the accuracy and the loss, in training and in validation


def test_the_script_of_a_chapter_is_whole_and_names_it(tmp_path):
    explore.write_runs(load_record("gap-head"), tmp_path / "runs", {})
    text = (tmp_path / "runs" / "gap-head.js").read_text(encoding="utf-8")
    name, _, data = text.removeprefix("companionRuns(").removesuffix(");\n").partition(", ")
    assert name == '"gap-head"' and json.loads(data) == json.loads(json.dumps(explore.payload(load_record("gap-head"))))
