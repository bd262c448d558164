"""The files of records: nothing is lost, whoever writes at the same time and however it ends."""

import json
import math
import subprocess
import sys

import pytest

from companion.evidence import keeping, records

HISTORY = {"val_loss": [0.5, 0.6], "seconds": [4.0, 4.0], "device": "cpu"}


def row(seed, rate=0.5, **parameters):
    values = {"rates": [rate], "seeds": [seed], **parameters}
    return {"setting": {"rate": rate}, "seed": seed, "parameters": values, "history": HISTORY, "seconds": 1.0}


def test_runs_are_merged_ordered_and_a_repeated_job_replaces_its_old_run(tmp_path):
    path = tmp_path / "dropout.json"
    keeping.merge_runs(path, [row(1), row(0)])
    keeping.merge_runs(path, [{**row(1), "seconds": 9.0}, row(0, rate=0.25)])
    rows = json.loads(path.read_text())["runs"]
    assert [(r["setting"]["rate"], r["seed"], r["seconds"]) for r in rows] == [
        (0.25, 0, 1.0),
        (0.5, 0, 1.0),
        (0.5, 1, 9.0),
    ]


def test_a_failed_write_leaves_the_old_record(tmp_path, monkeypatch):
    path = tmp_path / "dropout.json"
    keeping.merge_runs(path, [row(0)])
    before = path.read_text()
    monkeypatch.setattr(keeping.os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        keeping.merge_runs(path, [row(1)])
    assert path.read_text() == before


def test_the_same_run_on_another_device_replaces_the_old_one(tmp_path):
    path = tmp_path / "dropout.json"
    keeping.merge_runs(path, [row(0, device="auto")])
    keeping.merge_runs(path, [{**row(0, device="cuda"), "seconds": 2.0}])
    assert [r["seconds"] for r in json.loads(path.read_text())["runs"]] == [2.0]


def test_runs_are_ordered_by_seed_as_a_number(tmp_path):
    path = tmp_path / "dropout.json"
    keeping.merge_runs(path, [row(10), row(2), row(1)])
    assert [r["seed"] for r in json.loads(path.read_text())["runs"]] == [1, 2, 10]


def test_runs_that_are_no_longer_wanted_are_dropped_and_the_others_kept(tmp_path):
    path = tmp_path / "depth.json"
    keeping.merge_runs(path, [row(0, epochs=29), row(0, epochs=30)])
    assert keeping.keep_runs(path, [records.identity(row(0, epochs=30)["parameters"])]) == 1
    assert [r["parameters"]["epochs"] for r in json.loads(path.read_text())["runs"]] == [30]
    assert keeping.keep_runs(tmp_path / "none.json", []) == 0


def test_two_commands_that_write_one_record_at_once_lose_nothing(tmp_path):
    path = tmp_path / "dropout.json"
    script = (
        "import sys\n"
        "from companion.evidence import keeping\n"
        "path, start = sys.argv[1], int(sys.argv[2])\n"
        "sys.stdin.readline()\n"
        "for seed in range(start, start + 40):\n"
        "    version = {str(start): {'cells': '', 'modules': {}}}\n"
        "    row = {'setting': {}, 'seed': seed, 'parameters': {'seeds': [seed]}, 'history': {}, 'code': str(start)}\n"
        "    keeping.merge_runs(path, [row], version)\n"
    )
    command = [sys.executable, "-c", script, str(path)]
    writers = [subprocess.Popen([*command, start], stdin=subprocess.PIPE, text=True) for start in ("0", "40")]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    content = json.loads(path.read_text())
    assert [row["seed"] for row in content["runs"]] == list(range(80)) and set(content["code"]) == {"0", "40"}
    assert not list(tmp_path.glob("*.part")) and not list(tmp_path.glob(".*.part"))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_run_that_holds_no_finite_number_is_refused_by_name_and_the_record_stays(tmp_path, bad):
    path = tmp_path / "dropout.json"
    keeping.merge_runs(path, [row(0)])
    before = path.read_bytes()
    curves = {**HISTORY, "val_loss": (0.5, bad)}
    with pytest.raises(ValueError, match=rf"run of {{'rate': 0.5}}, seed 1, .* its val_loss is {bad} in epoch 2"):
        keeping.merge_runs(path, [{**row(1), "history": curves}])
    with pytest.raises(ValueError, match=rf"seed 2, .* its mae is {bad}, no finite number"):
        keeping.merge_runs(path, [{**row(2), "extras": {"mae": bad}}])
    assert path.read_bytes() == before and not list(tmp_path.glob(".*.part"))


def test_versions_of_the_code_are_kept_once_and_only_as_long_as_a_run_names_them(tmp_path):
    path = tmp_path / "dropout.json"
    version = {"cells": "1", "modules": {"data": "2"}}
    keeping.merge_runs(path, [{**row(seed), "code": "old"} for seed in range(2)], {"old": {**version, "accepted": [1]}})
    keeping.merge_runs(path, [{**row(1), "code": "new"}], {"new": version, "old": version})
    assert keeping.read(path)["code"] == {"new": version, "old": {**version, "accepted": [1]}}
    keeping.keep_runs(path, [records.identity(row(1)["parameters"])])
    assert keeping.read(path)["code"] == {"new": version}


@pytest.mark.parametrize("text", ["", "<<<<<<< HEAD\n{}", "[]", '{"chapter": "dropout"}', '{"runs": 3}'])
def test_a_damaged_record_is_one_sentence_for_its_reader_and_its_keeper(tmp_path, monkeypatch, text):
    path = tmp_path / "dropout.json"
    path.write_text(text)
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    for use in (lambda: records.load_record("dropout"), lambda: keeping.merge_runs(path, [row(0)])):
        with pytest.raises(
            ValueError, match=r"^dropout.json cannot be read as a record \(.*\): mend it, or take it from git"
        ):
            use()
    assert path.read_text() == text


def test_a_record_that_an_editor_gave_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "dropout.json"
    keeping.merge_runs(path, [row(0)])
    path.write_text(path.read_text(), encoding="utf-8-sig")
    assert [r["seed"] for r in keeping.read(path)["runs"]] == [0]
