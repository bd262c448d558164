"""A notebook is stale when something that its run used has changed, and only then."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from companion import catalogue
from companion.evidence import ledger, profiles, records
from companion.publish import project
from companion.publish.notebooks import chapters, execution

ROOT = project.project_root(__file__ + "/..")
NAMES = chapters.chapter_names(ROOT)
every_chapter = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def committed():
    """{chapter: (its source, what its committed run used)}"""
    pairs = {name: nbformat.read(chapters.pair_path(ROOT, name), as_version=4) for name in NAMES}
    return {name: (chapters.read_source(ROOT, name), pair.metadata.companion.uses) for name, pair in pairs.items()}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package that a test may change."""
    copy = tmp_path / "companion"
    shutil.copytree(project.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "publish"))
    monkeypatch.setattr(chapters, "PACKAGE", copy)
    monkeypatch.setattr(records, "FOLDER", copy / "evidence" / "records")
    monkeypatch.setattr(profiles, "FOLDER", copy / "evidence" / "profiles")
    return copy


def hashes(committed):
    return {name: chapters.code_hash(source, uses) for name, (source, uses) in committed.items()}


def stale_after(change, committed):
    """The chapters whose outputs count as stale after `change()`."""
    before = hashes(committed)
    change()
    after = hashes(committed)
    return {name for name in before if before[name] != after[name]}


def test_a_comment_in_a_module_makes_stale_exactly_the_chapters_that_load_it(package, committed):
    for path in sorted(package.rglob("*.py")):
        module = ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__")
        if module in ("catalogue", "__main__"):
            continue
        text = path.read_text(encoding="utf-8")
        found = stale_after(lambda p=path, t=text: p.write_text(t + "# a comment\n", encoding="utf-8"), committed)
        assert found == {name for name, (_, uses) in committed.items() if module in uses["modules"]}, module
        path.write_text(text, encoding="utf-8")
    faces = {name for name, (_, uses) in committed.items() if "data.faces" in uses["modules"]}
    assert faces < {name for name, (_, uses) in committed.items() if "training.engine" in uses["modules"]} < set(NAMES)


def test_a_new_module_makes_no_chapter_stale(package, committed, monkeypatch):
    def change():
        (package / "data" / "weather.py").write_text("def load_weather():\n    pass\n")
        monkeypatch.setitem(catalogue.SETS, "weather", catalogue.Source("data.weather", "load_weather"))
        monkeypatch.setitem(catalogue.MODULE_OF, "load_weather", "data.weather")

    assert stale_after(change, committed) == set()


def test_a_public_name_that_moves_makes_stale_who_loaded_its_old_module(package, committed, monkeypatch):
    moved = stale_after(lambda: monkeypatch.setitem(catalogue.MODULE_OF, "layer_table", "data.pima"), committed)
    assert moved == {name for name, (_, uses) in committed.items() if "counting" in uses["modules"]} != set()


def test_a_changed_row_makes_its_own_chapter_stale(package, committed, monkeypatch):
    rows = {key: claim for key, claim in ledger.ledger_rows().items()}
    other = ledger.Claim("new", "E", "to-come", "count", "weights", reported=14)
    monkeypatch.setattr(ledger, "ledger_rows", lambda: rows)
    assert stale_after(lambda: rows.update(new=other), committed) == set()
    changed = ledger.Claim(**{**vars(rows["A-drop-gap"]), "statement": "another"})
    readers = {
        name for name, (_, uses) in committed.items() if "dropout" in uses["claims"]
    }  # its own, and who quotes its numbers
    assert stale_after(lambda: rows.update({"A-drop-gap": changed}), committed) == readers >= {"dropout"}
    assert len(readers) < len(committed) / 2


def another(record):
    """The text of a record, with a last digit changed in its last run."""
    content = json.loads(record)
    content["runs"][-1]["history"]["val_loss"][-1] += 0.001
    return json.dumps(content)


def test_a_changed_record_makes_stale_who_shows_it(package, committed):
    path = records.FOLDER / "dropout.json"
    text = path.read_text(encoding="utf-8")
    signed = json.loads(text)
    signed["code"]["another"] = {"accepted": ["a signature alters no run"]}
    assert stale_after(lambda: path.write_text(json.dumps(signed), encoding="utf-8"), committed) == set()
    found = stale_after(lambda: path.write_text(another(text), encoding="utf-8"), committed)
    assert found == {name for name, (_, uses) in committed.items() if "dropout" in uses["records"]}
    assert {"dropout", "depth"} <= found < set(NAMES)


@every_chapter
def test_each_thing_that_a_run_used_makes_it_stale_when_it_changes(name, package, committed):
    only = {name: committed[name]}
    source, _ = committed[name]
    for path in chapters.used_files(committed[name][1]):
        content = path.read_bytes()
        new = another(content).encode() if path.suffix == ".json" else content + b"\n#"
        assert stale_after(lambda p=path, c=new: p.write_bytes(c), only) == {name}, path.name
        path.write_bytes(content)
    for cell in chapters.code_cells(source):
        before = cell.source
        assert stale_after(lambda c=cell: c.update(source=c.source + "\n"), only) == {name}
        cell.source = before


LOOK = """\
import sys
opened = []
sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event == "open" else None)
"""
WORK = """\
from companion import check_count, claims_table, fit, load_dataset, load_record
load_dataset("tones", n_train=4, n_val=4)
load_record("depth")
check_count("A-vgg-fc1", 102764544)
"""


def source_of(opened):
    """The module's file for its compiled one, any other path as it is."""
    path = Path(opened)
    return path.parent.parent / (path.name.partition(".")[0] + ".py") if path.parent.name == "__pycache__" else path


@pytest.mark.slow
def test_what_a_run_is_said_to_have_used_is_what_it_opened():
    """The second witness is the interpreter itself: every file of the package that was opened."""
    cells = [new_code_cell(LOOK), new_code_cell(WORK), new_code_cell("import json; print(json.dumps(opened))")]
    text = execution.execute(nbformat.writes(new_notebook(cells=cells)), {}, ROOT / "book")
    executed = nbformat.reads(text, as_version=4)
    uses = executed.metadata["companion_uses"]
    opened = json.loads(executed.cells[2].outputs[0].text)
    listed = {*chapters.used_files(uses), project.PACKAGE / "catalogue.py", *ledger.FOLDER.glob("*.yml")}
    assert {path for path in map(source_of, opened) if project.PACKAGE in path.parents} <= listed
    assert uses["claims"] == ["vgg-parameters"] and uses["records"] == ["depth"]
    assert {"data.speech", "evidence.verdicts", "training.engine"} <= set(uses["modules"])
    assert not {"data.faces", "data.cifar", "models.squeezenet"} & set(uses["modules"])
    assert executed.cells[-1].source.startswith("import json"), "the cell that asked is gone again"
