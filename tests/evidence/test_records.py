"""Records: what a notebook hands over, how it is kept, and that nothing is lost."""

import pytest

from companion.evidence import keeping, records
from companion.training.history import History


def history(val=(0.5, 0.6)):
    n = len(val)
    names = ("running_loss", "running_accuracy", "train_loss", "train_accuracy", "val_loss")
    curves = {name: (value,) * n for name, value in zip(names, (1.0, 0.1, 2.0, 0.2, 3.0), strict=True)}
    return History(curves | {"val_accuracy": tuple(val)}, (4.0,) * n)


def row(seed, rate=0.5, **parameters):
    values = {"rates": [rate], "seeds": [seed], **parameters}
    return {
        "setting": {"rate": rate},
        "seed": seed,
        "parameters": values,
        "history": history().to_row(),
        "seconds": 1.0,
    }


def test_a_record_selects_by_setting_and_reads_the_last_epoch(tmp_path, monkeypatch):
    path = tmp_path / "dropout.json"
    keeping.merge_runs(path, [row(1), row(0), row(0, rate=0.25)])
    monkeypatch.setattr("companion.evidence.records.record_path", lambda chapter: path)
    record = records.load_record("dropout")
    assert [run.seed for run in record.select(rate=0.5)] == [0, 1]
    assert record.values("val_accuracy", rate=0.5) == {0: 0.6, 1: 0.6}
    assert record.runs[0].provenance["seconds"] == 1.0


def test_runs_on_another_split_stand_beside_those_on_the_book_s_own_and_are_taken_only_when_asked_for(
    tmp_path, monkeypatch
):
    path = tmp_path / "dropout.json"
    keeping.merge_runs(path, [row(0), row(1, split=0), row(0, split=1), row(0, split=2)])
    keeping.merge_runs(path, [row(0, split=0)])  # the same run as the one that names no split
    monkeypatch.setattr("companion.evidence.records.record_path", lambda chapter: path)
    record = records.load_record("dropout")
    named = [(run.split, run.seed) for run in record.select(split=None, rate=0.5)]
    assert named == [(0, 0), (0, 1), (1, 0), (2, 0)]
    assert [run.seed for run in record.select(rate=0.5)] == [0, 1]
    assert [run.split for run in record.select(rate=0.5, split=2)] == [2]
    assert set(record.values("val_accuracy", rate=0.5)) == {0, 1}
    lines = records.to_csv(record).splitlines()
    assert lines[0].startswith("rate,split,seed,epoch,") and sum(line.startswith("0.5,1,0,") for line in lines) == 2


def test_a_chapter_without_runs_has_an_empty_record():
    assert records.load_record("no-such-chapter").runs == ()


def test_the_small_table_shows_the_last_epoch_and_the_best_one_beside_it():
    run = records.Run({"rate": 0.5}, 3, history(val=(0.5, 0.7, 0.6)))
    (shown,) = records.runs_table([run]).to_dict("records")
    assert (shown["rate"], shown["seed"], shown["val accuracy"]) == (0.5, 3, "0.600")
    assert shown["best val accuracy"] == "0.700 (epoch 2)"


def test_the_csv_has_one_line_for_each_epoch_of_each_run():
    runs = [records.Run({"rate": r}, 0, history()) for r in (0.0, 0.5)]
    lines = records.to_csv(records.Record("x", tuple(runs))).splitlines()
    assert lines[0].startswith("rate,seed,epoch,running_loss") and len(lines) == 1 + 2 * 2


def test_numbers_are_kept_to_six_digits():
    assert records._rounded({"loss": (0.123456789,), "device": "cpu"}) == {"loss": [0.123457], "device": "cpu"}


def test_further_measurements_of_a_run_are_kept(tmp_path, monkeypatch):
    path = tmp_path / "depth.json"
    keeping.merge_runs(path, [{**row(0), "extras": {"shift_accuracy": [0.5, 0.25]}}, row(1)])
    monkeypatch.setattr("companion.evidence.records.record_path", lambda chapter: path)
    first, second = records.load_record("depth").select(rate=0.5)
    assert first.extras == {"shift_accuracy": [0.5, 0.25]} and second.extras == {}
    assert "extras" not in first.provenance


def test_a_record_of_runs_made_with_other_parameters_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "depth.json"
    keeping.merge_runs(path, [row(0, epochs=29), row(0, epochs=30), row(1, epochs=29)])
    monkeypatch.setattr("companion.evidence.records.record_path", lambda chapter: path)
    with pytest.raises(
        ValueError, match=r"record of depth holds two runs of \{'rate': 0.5\}, seed 0.* epochs: 29 and 30"
    ):
        records.load_record("depth")


class Splits:
    name = fingerprint = source = "made up"


def test_a_cell_that_records_a_value_which_is_no_finite_number_fails_with_its_name():
    good = records.Run({"rate": 0.5}, 0, history(), {"within": [0.1, 0.2]})
    records.record([good], Splits)
    bad = records.Run({"rate": 0.5}, 7, history(), {"within": [0.1, float("nan")]})
    with pytest.raises(ValueError, match=r"run of \{'rate': 0.5\}, seed 7, cannot .* its within is nan at place 2"):
        records.record([good, bad], Splits)
