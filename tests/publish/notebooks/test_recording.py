"""Recording: the jobs of a grid, runs that survive a kill, and records that notice when their code has changed."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from sources import chapter_start
from tiny_book import TINY

from companion.evidence import keeping, records
from companion.publish import UserError, cli, project
from companion.publish.notebooks import chapters, execution, recorded_code, recording

ROOT = project.project_root(__file__ + "/..")


def test_the_grid_becomes_one_job_for_each_setting_and_seed_and_lists_stay_lists(book):
    jobs = recording.plan_jobs("tiny", {"rate": 0.5, "seeds": [0], "wait": 0})
    assert [(j.parameters["rate"], j.parameters["seeds"]) for j in jobs] == [
        (0.25, [0]),
        (0.5, [0]),
        (0.25, [1]),
        (0.5, [1]),
    ]
    assert jobs[0].name == "wait=0 rate=0.25 seeds=0"


def test_the_name_of_a_job_says_all_members_of_a_list_and_also_that_there_are_none():
    job = recording.Job("tiny", {"rates": [0.0, 0.5], "measures": [], "held_out": [[0, 1]], "device": "cpu"}, {})
    assert job.name == "rates=0.0,0.5 measures=none held_out=0,1"


def test_an_unknown_parameter_is_refused_before_anything_runs(book, monkeypatch):
    monkeypatch.setattr(
        "companion.evidence.profiles.profile",
        lambda chapter: {"parameters": {"epoch": 2}, "grid": [{"seeds": [0]}]},
    )
    with pytest.raises(UserError, match="tiny has no parameter 'epoch'; it has rate, seeds, wait"):
        recording.plan_jobs("tiny", {"rate": 0.5, "seeds": [0], "wait": 0})
    with pytest.raises(UserError, match="epoch"):
        execution.execute_chapter(book, "tiny", "full")
    assert not (book / "_build").exists()


def test_a_job_stops_after_the_record_cell(book):
    cut = recording.job_notebook(chapters.read_source(book, "tiny"))
    assert "record" in chapters.tags(cut.cells[-1])


@pytest.mark.slow
def test_a_record_is_made_once_and_new_seeds_are_added_without_redoing_the_old(book, tmp_path, monkeypatch):
    told = []
    options = {
        "workers": 2,
        "folder": tmp_path / "records",
        "progress": lambda total, title: lambda *words: told.append(words),
    }
    assert recording.record_chapter(book, "tiny", **options) == (0, 4, [])
    assert len(told) == 4 and all(problem is None for _, problem in told)
    rows = json.loads((tmp_path / "records" / "tiny.json").read_text())["runs"]
    assert [(row["setting"]["rate"], row["seed"]) for row in rows] == [(0.25, 0), (0.25, 1), (0.5, 0), (0.5, 1)]
    assert rows[0]["history"]["val_loss"] == [0.25, 1.0] and rows[0]["seconds"] == 1.2
    assert rows[0]["extras"] == {"moved": [0.5, 0.333333]}
    assert {"commit", "date", "device", "versions", "data", "machine", "parameters"} <= set(rows[0])
    grid = {"parameters": {"wait": 0}, "grid": [{"rate": [0.25, 0.5], "seeds": [0, 1, 2]}]}
    monkeypatch.setattr("companion.evidence.profiles.profile", lambda chapter: grid)
    assert recording.record_chapter(book, "tiny", **options) == (4, 2, [])


def test_a_record_made_with_other_parameters_is_refused_and_stays_as_it_is(book, tmp_path):
    path = tmp_path / "tiny.json"
    old = {"rate": 0.25, "seeds": [0], "wait": 7}
    keeping.merge_runs(path, [{"setting": {"rate": 0.25}, "seed": 0, "parameters": old, "history": {}}])
    before = path.read_bytes()
    with pytest.raises(
        UserError, match=r"record of tiny holds 1 run made with other parameters .*\(wait: 7 and 0\).*--redo"
    ):
        recording.record_chapter(book, "tiny", workers=1, folder=tmp_path)
    assert path.read_bytes() == before


@pytest.mark.slow
def test_redoing_a_record_replaces_runs_made_with_other_parameters(book, tmp_path):
    path = tmp_path / "tiny.json"
    old = {"rate": 0.25, "seeds": [0], "wait": 7}
    keeping.merge_runs(path, [{"setting": {"rate": 0.25}, "seed": 0, "parameters": old, "history": {}}])
    assert recording.record_chapter(book, "tiny", workers=2, folder=tmp_path, redo=True) == (0, 4, [])
    assert {row["parameters"]["wait"] for row in json.loads(path.read_text())["runs"]} == {0}


@pytest.mark.slow
def test_a_failing_job_is_named_and_the_others_are_kept(book, tmp_path):
    source = TINY.replace("time.sleep(wait)", "assert seeds != [1], 'bad seed'")
    (book / "book" / "tiny.md").write_text(source)
    before, now, errors = recording.record_chapter(book, "tiny", workers=2, folder=tmp_path / "records")
    assert (before, now) == (0, 2) and len(errors) == 2
    assert "rate=0.25 seeds=1" in errors[0] + errors[1] and "bad seed" in errors[0]


@pytest.mark.slow
def test_a_kernel_that_dies_is_one_sentence_and_the_other_jobs_are_kept(book, tmp_path):
    source = TINY.replace("time.sleep(wait)", "import os\n\nif seeds == [1]:\n    os._exit(1)")
    (book / "book" / "tiny.md").write_text(source)
    before, now, errors = recording.record_chapter(book, "tiny", workers=2, folder=tmp_path / "records")
    assert (before, now) == (0, 2)
    assert len(errors) == 2 and all("its kernel died" in error for error in errors)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kills by POSIX signals")
def test_a_killed_record_loses_only_the_running_jobs_and_leaves_no_worker_behind(book, tmp_path):
    script = tmp_path / "record.py"
    script.write_text(
        "from pathlib import Path\n"
        "from companion.evidence import profiles\n"
        "from companion.publish.notebooks import recording\n"
        "if __name__ == '__main__':\n"
        "    grid = {'parameters': {}, 'grid': [{'wait': [0, 60], 'seeds': [0]}]}\n"
        "    profiles.profile = lambda chapter: grid\n"
        f"    recording.record_chapter(Path({str(book)!r}), 'tiny', workers=2, folder=Path({str(tmp_path)!r}))\n"
    )
    process = subprocess.Popen([sys.executable, str(script)], start_new_session=True)
    record = tmp_path / "tiny.json"
    try:
        deadline = time.time() + 90
        while not record.exists() and time.time() < deadline:
            time.sleep(0.2)
        children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    finally:
        process.kill()
    assert len(json.loads(record.read_text())["runs"]) == 1  # the finished job is there, the running one is not
    deadline = time.time() + 20
    while any(alive(int(child)) for child in children) and time.time() < deadline:
        time.sleep(0.2)
    assert children and not any(alive(int(child)) for child in children)
    grid = {"parameters": {}, "grid": [{"wait": [0, 1], "seeds": [0]}]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("companion.evidence.profiles.profile", lambda chapter: grid)
        assert recording.record_chapter(book, "tiny", workers=1, folder=tmp_path) == (1, 1, [])


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
def test_jobs_can_go_to_a_dask_scheduler(book, tmp_path):
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster:
        result = recording.record_chapter(
            book, "tiny", scheduler=cluster.scheduler_address, folder=tmp_path / "records"
        )
    assert result == (0, 4, [])


def test_an_absent_scheduler_is_one_sentence(book, tmp_path, monkeypatch):
    import distributed

    def refuse(*_, **__):
        raise OSError("Timed out")

    monkeypatch.setattr(distributed, "Client", refuse)
    with pytest.raises(UserError, match="no dask scheduler at tcp"):
        recording.record_chapter(book, "tiny", scheduler="tcp://127.0.0.1:1", folder=tmp_path)


# ------------------------------------------------------------------------------------------------ two at one time


def test_a_second_recording_of_a_chapter_is_refused_while_the_first_is_at_work(book, tmp_path):
    with (
        keeping.held(tmp_path / "tiny.json", "-recording"),
        pytest.raises(UserError, match=r"Another `companion record tiny` is at work .* let it end, or stop it first"),
    ):
        recording.record_chapter(book, "tiny", workers=1, folder=tmp_path)
    assert not (tmp_path / "tiny.json").exists()


@pytest.mark.skipif(os.name == "nt", reason="kills by POSIX signals")
def test_a_recording_that_was_killed_holds_nobody_up(book, tmp_path):
    script = (
        "import sys, time\n"
        "from companion.evidence import keeping\n"
        "with keeping.held(sys.argv[1], '-recording'), keeping.edited(sys.argv[1]):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "tiny.json")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    with pytest.raises(UserError, match="Another"):
        recording.record_chapter(book, "tiny", folder=tmp_path)
    process.kill()
    process.wait()
    process.stdout.close()
    row = {"setting": {}, "seed": 0, "parameters": {}, "history": {}}
    with keeping.held(tmp_path / "tiny.json", "-recording", timeout=0):
        keeping.merge_runs(tmp_path / "tiny.json", [row])
    assert len(keeping.read(tmp_path / "tiny.json")["runs"]) == 1


def test_a_relative_folder_of_the_data_reaches_the_jobs_as_an_absolute_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPANION_DATA", "data")
    with recording._executor(1, None) as pool:
        assert pool.submit(os.getenv, "COMPANION_DATA").result() == str(tmp_path / "data")


# --------------------------------------------------------------------------------------------- the code of the runs

TRAINS = (
    chapter_start("Trains", "dataset = 'digits'\nseeds = [0]")
    + """
```{code-cell} ipython3
%matplotlib inline
from torch.optim import SGD, Adam

from companion import fit, load_dataset
```

```{code-cell} ipython3
def train(seed):
    \"\"\"One run.\"\"\"
    optimizer = Adam(model.parameters(), lr=0.001)  # the report's

    return fit(model, load_dataset(dataset), optimizer=optimizer, seed=seed)
```

```{code-cell} ipython3
:tags: [record]

record([train(seed) for seed in seeds], splits)
```

```{code-cell} ipython3
after = "the record"
```
"""
)


@pytest.fixture
def trained(book, tmp_path, monkeypatch):
    """A book whose chapter trains, a copy of the package, and a record of three runs made by their code as it is."""
    (book / "book" / "tiny.md").write_text(TRAINS)
    package = tmp_path / "package"
    shutil.copytree(
        recorded_code.PACKAGE, package, ignore=shutil.ignore_patterns("publish", "records", "claims", "__pycache__")
    )
    monkeypatch.setattr(recorded_code, "PACKAGE", package)
    notebook = chapters.read_source(book, "tiny")
    version = recorded_code.version_of(notebook, recorded_code.reached(notebook, {"dataset": "digits"}))
    rows = [run_of(rate, seed, recorded_code.name_of(version)) for rate, seed in ((0.5, 0), (0.5, 1), (0.25, 0))]
    keeping.merge_runs(tmp_path / "tiny.json", rows, {recorded_code.name_of(version): version})
    return book


def run_of(rate, seed, code):
    parameters = {"dataset": "digits", "rate": rate, "seeds": [seed]}
    return {"setting": {"rate": rate}, "seed": seed, "parameters": parameters, "code": code, "history": {}}


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def append(path, text):
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_the_code_of_runs_as_it_was_gives_nothing_to_say(trained, tmp_path):
    assert recording.changed_code(trained, "tiny", tmp_path) == []
    assert recording.changed_code(trained, "tiny", tmp_path / "no record") == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Adam(model", "SGD(model"),
        ("lr=0.001", "lr=0.01"),
        ("import fit, load_dataset", "import load_dataset, my_fit as fit"),
        ("[train(seed) for", "[train(0) for"),
    ],
)
def test_another_optimizer_rate_loop_or_import_is_noticed_and_the_runs_are_named(trained, tmp_path, old, new):
    edit(trained / "book" / "tiny.md", old, new)
    (sentence,) = recording.changed_code(trained, "tiny", tmp_path)
    assert sentence == (
        "tiny: 3 runs (rate 0.25: 1 seed; rate 0.5: 2 seeds) of the record have been made by other code than there is now; "
        "changed since: the page's cells. If that cannot alter results, sign it: companion record tiny --accept --why "
        '"…"; otherwise make the runs anew: companion record tiny --redo.'
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # the report's", "  # as everybody's"),
        ("One run.", "One run, and no more."),
        ('    """One run."""\n', ""),
        ("lr=0.001)  # the report's\n\n", "lr=0.001)\n"),
        ("Adam(model.parameters(), lr=0.001)", "Adam(\n        model.parameters(),\n        lr=1e-3,\n    )"),
        ("%matplotlib inline", "%matplotlib agg"),
        ("seeds = [0]", "seeds = [7]"),
        ("the record", "what comes after it"),
        ("# Trains", "# Trains much"),
    ],
)
def test_comments_docstrings_layout_magics_parameters_and_what_follows_the_record_do_not_count(
    trained, tmp_path, old, new
):
    edit(trained / "book" / "tiny.md", old, new)
    assert recording.changed_code(trained, "tiny", tmp_path) == []


@pytest.mark.parametrize("module", ["training/engine.py", "data/digits.py", "data/splits.py", "data/__init__.py"])
def test_a_change_in_a_module_that_the_run_loaded_is_noticed(trained, tmp_path, module):
    append(recorded_code.PACKAGE / module, "\n# a comment\n")
    assert recording.changed_code(trained, "tiny", tmp_path) == []
    append(recorded_code.PACKAGE / module, "\nADDED = 1\n")
    name = module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    (sentence,) = recording.changed_code(trained, "tiny", tmp_path)
    assert f"changed since: {name}. If" in sentence


@pytest.mark.parametrize("module", ["data/cifar.py", "data/faces.py", "models/sequences.py", "data/brand_new.py"])
def test_a_change_in_a_module_that_the_run_did_not_load_is_none(trained, tmp_path, module):
    path = recorded_code.PACKAGE / module
    path.write_text((path.read_text(encoding="utf-8") if path.exists() else "") + "\nADDED = 1\n", encoding="utf-8")
    assert recording.changed_code(trained, "tiny", tmp_path) == []


def test_a_module_that_is_gone_is_noticed(trained, tmp_path):
    (recorded_code.PACKAGE / "training" / "engine.py").rename(recorded_code.PACKAGE / "training" / "motor.py")
    assert "changed since: training.engine. If" in recording.changed_code(trained, "tiny", tmp_path)[0]


def test_a_public_name_or_data_set_that_leads_elsewhere_is_noticed(trained, tmp_path, monkeypatch):
    monkeypatch.setitem(recorded_code.SETS, "cifar10", recorded_code.SETS["cifar10"]._replace(loader="other"))
    assert recording.changed_code(trained, "tiny", tmp_path) == []
    monkeypatch.setitem(recorded_code.SETS, "digits", recorded_code.SETS["digits"]._replace(loader="load_photo_digits"))
    assert "changed since: catalogue. If" in recording.changed_code(trained, "tiny", tmp_path)[0]


def test_nothing_is_added_to_a_record_whose_code_has_changed(trained, tmp_path, monkeypatch):
    grid = {"grid": [{"rate": [0.5], "seeds": [0, 1, 2]}, {"rate": [0.25], "seeds": [0]}]}
    monkeypatch.setattr("companion.evidence.profiles.profile", lambda chapter: grid)
    text = TRAINS.replace("seeds = [0]", "seeds = [0]\nrate = 1")
    (trained / "book" / "tiny.md").write_text(text.replace("Adam(model", "SGD(model"))
    before = (tmp_path / "tiny.json").read_bytes()
    with pytest.raises(UserError, match=r"3 runs \(rate 0.25.*other code.*--accept --why"):
        recording.record_chapter(trained, "tiny", folder=tmp_path)
    assert (tmp_path / "tiny.json").read_bytes() == before


def test_a_signed_change_is_at_rest_until_the_next_one_and_its_reason_is_kept(trained, tmp_path):
    page, path = trained / "book" / "tiny.md", tmp_path / "tiny.json"
    edit(page, "Adam(model", "SGD(model")
    assert recording.accept(trained, "tiny", " the same by another name ", tmp_path) == 3
    assert recording.changed_code(trained, "tiny", tmp_path) == []
    ((version,), rows) = keeping.read(path)["code"].values(), keeping.read(path)["runs"]
    (signed,) = version["accepted"]
    assert (signed["why"], signed["date"]) == ("the same by another name", execution.today())
    assert signed["code"] != rows[0]["code"] == rows[2]["code"] and signed["cells"] != version["cells"]
    append(recorded_code.PACKAGE / "training" / "engine.py", "\nADDED = 1\n")
    assert "changed since: training.engine. If" in recording.changed_code(trained, "tiny", tmp_path)[0]
    assert recording.accept(trained, "tiny", "one name more", tmp_path) == 3
    assert [e["why"] for v in keeping.read(path)["code"].values() for e in v["accepted"]] == [
        "the same by another name",
        "one name more",
    ]
    edit(recorded_code.PACKAGE / "training" / "engine.py", "\nADDED = 1\n", "")
    edit(page, "SGD(model", "Adam(model")
    assert recording.changed_code(trained, "tiny", tmp_path) == []  # what made the runs needs no signature


def test_a_signature_covers_the_modules_that_the_code_has_come_to_reach(trained, tmp_path):
    engine = recorded_code.PACKAGE / "training" / "engine.py"
    (recorded_code.PACKAGE / "training" / "steps.py").write_text("SIZE = 1\n")
    append(engine, "\nfrom companion.training import steps\n")
    recording.accept(trained, "tiny", "a part of the engine has moved", tmp_path)
    (recorded_code.PACKAGE / "training" / "steps.py").write_text("SIZE = 2\n")
    assert "changed since: training.steps. If" in recording.changed_code(trained, "tiny", tmp_path)[0]


def test_signing_needs_a_reason_and_something_to_sign(trained, tmp_path):
    path = tmp_path / "tiny.json"
    before = path.read_bytes()
    with pytest.raises(UserError, match="needs a reason"):
        recording.accept(trained, "tiny", "  ", tmp_path)
    assert recording.accept(trained, "tiny", "no change at all", tmp_path) == 0
    assert recording.accept(trained, "tiny", "nothing there", tmp_path / "empty") is None
    assert path.read_bytes() == before and not (tmp_path / "empty").exists()


def test_runs_that_do_not_say_which_code_made_them_can_be_signed_too(trained, tmp_path):
    path = tmp_path / "tiny.json"
    bare = {name: value for name, value in run_of(0.5, 9, "").items() if name != "code"}
    keeping.merge_runs(path, [bare])
    (sentence,) = recording.changed_code(trained, "tiny", tmp_path)
    assert "1 run (rate 0.5: 1 seed) of the record has no note of the code that made them" in sentence
    assert recording.accept(trained, "tiny", "made an hour ago by this very code", tmp_path) == 1
    assert recording.changed_code(trained, "tiny", tmp_path) == []
    edit(trained / "book" / "tiny.md", "Adam(model", "SGD(model")
    assert len(recording.changed_code(trained, "tiny", tmp_path)) == 2


def test_many_settings_are_named_in_part(trained, tmp_path):
    (name,) = keeping.read(tmp_path / "tiny.json")["code"]
    keeping.merge_runs(tmp_path / "tiny.json", [run_of(rate, 0, name) for rate in range(10, 30)])
    edit(trained / "book" / "tiny.md", "Adam(model", "SGD(model")
    (sentence,) = recording.changed_code(trained, "tiny", tmp_path)
    assert "23 runs (rate 0.25: 1 seed; rate 0.5: 2 seeds; rate 10: 1 seed; " in sentence
    assert "rate 15: 1 seed; and 14 further settings)" in sentence


def test_a_damaged_record_or_a_page_without_its_record_cell_is_one_sentence(trained, tmp_path):
    edit(trained / "book" / "tiny.md", ":tags: [record]", ":tags: [hide-input]")
    (sentence,) = recording.changed_code(trained, "tiny", tmp_path)
    assert sentence.startswith("tiny: A chapter with a grid needs exactly one cell tagged 'record'")
    (tmp_path / "tiny.json").write_text("<<<<<<< HEAD\n")
    (sentence,) = recording.changed_code(trained, "tiny", tmp_path)
    assert "tiny.json cannot be read as a record" in sentence and "git" in sentence
    with pytest.raises(UserError, match=r"tiny.json cannot be read as a record"):
        recording.accept(trained, "tiny", "because", tmp_path)


def test_the_hash_of_code_is_the_same_under_every_python():
    code = 'def f(x: int = 1, *rest, **names):\n    """Doc."""\n    return f"{x:{rest}} {x!r} {names:>9}" + "é", 1e-3, None, [*rest]\n'
    assert recorded_code._digest(recorded_code._content(code)) == "823bd4c7f6ec"


def executed(modules=None):
    """An executed notebook of the chapter, as a job brings it back, of one run."""
    import jupytext

    notebook = jupytext.reads(TRAINS, fmt="md:myst")
    run = {"setting": {"rate": 0.5}, "seed": 0, "history": {"device": "cpu", "seconds": [1.0]}}
    payload = {"data": {}, "versions": {}, "machine": "", "runs": [run]}
    output = nbformat.v4.new_output("display_data", metadata={"companion_record": payload})
    next(cell for cell in notebook.cells if "record" in chapters.tags(cell)).outputs = [output]
    injected = nbformat.v4.new_code_cell("seeds = [0]", metadata={"tags": ["injected-parameters"]})
    notebook.cells.insert(2, injected)
    if modules:
        notebook.metadata["companion_uses"] = {"modules": modules}
    return nbformat.writes(notebook)


JOB = recording.Job("tiny", {"seeds": [0]}, {"dataset": "digits", "seeds": [0]})


def test_a_run_carries_the_code_that_made_it_with_the_modules_that_it_says_it_loaded(trained, tmp_path):
    before = recorded_code.all_modules()
    (row,), versions = recording.harvest(
        executed(["__init__", "data.cifar", "training.engine", "uses"]), JOB, before, "abc"
    )
    assert set(versions[row["code"]]["modules"]) == {"data.cifar", "training.engine", "catalogue"}
    keeping.merge_runs(tmp_path / "other.json", [row], versions)
    (trained / "book" / "other.md").write_text(TRAINS)
    assert recording.changed_code(trained, "other", tmp_path) == []
    append(recorded_code.PACKAGE / "data" / "digits.py", "\nADDED = 1\n")
    assert recording.changed_code(trained, "other", tmp_path) == []
    append(recorded_code.PACKAGE / "data" / "cifar.py", "\nADDED = 1\n")
    assert "data.cifar" in recording.changed_code(trained, "other", tmp_path)[0]


def test_a_run_that_does_not_say_what_it_loaded_carries_all_that_its_code_can_reach(trained):
    _, versions = recording.harvest(executed(), JOB, {}, "abc")
    (version,) = versions.values()
    assert {"data", "data.digits", "data.splits", "training", "training.engine", "training.history"} <= set(
        version["modules"]
    )
    assert not {"data.cifar", "models.sequences", "evidence.records", "plotting"} & set(version["modules"])


def test_a_run_is_not_kept_when_a_module_that_it_loaded_changed_meanwhile(trained):
    before = recorded_code.all_modules()
    append(recorded_code.PACKAGE / "data" / "digits.py", "\n# only a comment\n")
    append(recorded_code.PACKAGE / "data" / "cifar.py", "\nADDED = 1\n")
    assert recording.harvest(executed(["data.digits"]), JOB, before, "abc")
    with pytest.raises(UserError, match=r"tiny \(seeds=0\): data.cifar changed while the runs were being made"):
        recording.harvest(executed(["data.cifar", "data.digits"]), JOB, before, "abc")


@pytest.mark.slow
def test_recorded_changed_signed_and_recorded_on(book, tmp_path, monkeypatch):
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    monkeypatch.setattr("companion.publish.project.project_root", lambda *_: book)
    assert cli.main(["record", "tiny", "--workers", "2"]) == 0
    assert recording.changed_code(book, "tiny") == []
    edit(book / "book" / "tiny.md", "values = (rate, 1.0)", "values = (rate, 1.5)")
    assert cli.main(["record", "tiny"]) == 1 and cli.main(["record", "tiny", "--accept"]) == 1
    assert cli.main(["record", "all", "--accept", "--why", "only to see"]) == 0
    assert cli.main(["record", "tiny"]) == 0
    content = keeping.read(tmp_path / "tiny.json")
    assert {row["history"]["val_loss"][1] for row in content["runs"]} == {1.0}
    assert cli.main(["record", "tiny", "--redo", "--workers", "2"]) == 0
    content = keeping.read(tmp_path / "tiny.json")
    assert {row["history"]["val_loss"][1] for row in content["runs"]} == {1.5}
    assert [list(version) for version in content["code"].values()] == [["cells", "modules"]]


def test_the_command_signs_every_chapter_with_a_grid_and_says_what_it_did(trained, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    monkeypatch.setattr("companion.publish.project.project_root", lambda *_: trained)
    monkeypatch.setattr(recording, "execute", lambda *_: pytest.fail("nothing may run"))
    edit(trained / "book" / "tiny.md", "Adam(model", "SGD(model")
    for words in (["--accept"], ["--accept", "--why", " "], ["--why", "x"], ["--accept", "--why", "x", "--redo"]):
        assert cli.main(["record", "all", *words]) == 1
    assert capsys.readouterr().err.count("companion: ") == 4
    assert cli.main(["record", "all", "--accept", "--why", "a test"]) == 0
    assert cli.main(["record", "tiny", "--accept", "--why", "a test"]) == 0
    (tmp_path / "tiny.json").unlink()
    assert cli.main(["record", "tiny", "--accept", "--why", "a test"]) == 0
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == "tiny: 3 recorded runs signed; the reason is kept in the record."
    assert "nothing to sign" in second and "no runs are recorded" in third


# ------------------------------------------------------------------------------- runs from before records kept their code


@pytest.fixture
def code_of_records():
    spec = importlib.util.spec_from_file_location("code_of_records", ROOT / "tools" / "code_of_records.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_old_runs_get_the_code_of_the_commit_that_they_name(trained, tmp_path, code_of_records):
    def git(*words):
        names = ["-c", "user.name=a", "-c", "user.email=a@b"]
        done = subprocess.run(["git", *names, *words], cwd=trained, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    shutil.copytree(recorded_code.PACKAGE, trained / "src" / "companion")
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    commit = git("rev-parse", "--short=10", "HEAD")
    edit(trained / "book" / "tiny.md", "Adam(model", "SGD(model")
    path = tmp_path / "old" / "tiny.json"
    rows = [run_of(0.5, seed, "") | {"commit": of} for seed, of in enumerate((commit, commit, "unknown", commit + "+"))]
    for row in rows:
        del row["code"]
    keeping.merge_runs(path, rows)
    assert code_of_records.give_code(trained, "tiny", path.parent) == (2, [commit + "+", "unknown"])
    first, second = recording.changed_code(trained, "tiny", path.parent)
    assert "2 runs (rate 0.5: 2 seeds) of the record have been made by other code" in first
    assert "changed since: the page's cells. If" in first
    assert "2 runs (rate 0.5: 2 seeds) of the record have no note of the code that made them" in second
    edit(trained / "book" / "tiny.md", "SGD(model", "Adam(model")
    assert len(recording.changed_code(trained, "tiny", path.parent)) == 1
    assert code_of_records.give_code(trained, "tiny", path.parent)[0] == 0


def test_every_recorded_run_says_which_code_made_it():
    for path in records.FOLDER.glob("*.json"):
        content = keeping.read(path)
        assert {row.get("code") for row in content["runs"]} <= set(content["code"]), path.name
