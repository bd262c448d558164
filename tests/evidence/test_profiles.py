"""The line that switches a page to the values of its recorded runs."""

import json
import math
import re

import pytest

from companion import use_full_profile
from companion.evidence import profiles
from companion.publish import project
from companion.publish.notebooks import chapters, execution, template

ROOT = project.project_root(__file__ + "/..")
WITH_GRID = [name for name in chapters.chapter_names(ROOT) if profiles.profile(name).get("grid")]
TRAINS_NOTHING = {"transfer-learning": 8}  # the blind guess, recorded for one of five seeds, for ages and for groups
# pages whose full profile also trains what no record holds: a run for each combination of the lists, where the grid has boxes
PARTLY = {"linear-regression", "cross-validation", "permuted-pixels", "simple-cnn", "cifar100", "denoising-autoencoder"}
every_grid = pytest.mark.parametrize("name", WITH_GRID)


def parameters_cell(name):
    cells = chapters.code_cells(chapters.read_source(ROOT, name))
    return next(cell.source for cell in cells if "parameters" in chapters.tags(cell))


@every_grid
def test_the_line_in_the_parameters_cell_gives_what_papermill_would_inject(name, capsys):
    code = parameters_cell(name)
    line = template.FULL_PROFILE.format(chapter=name).splitlines()[-1]
    assert code.endswith("\n" + template.FULL_PROFILE.format(chapter=name))
    page = {}
    exec(code.replace(line, line.removeprefix("# ")), page)
    defaults = chapters.parameters(chapters.read_source(ROOT, name))
    injected = execution.profile_parameters(name, defaults)
    assert injected and {key: page[key] for key in defaults} == {**defaults, **injected} != defaults
    said = capsys.readouterr().out
    assert all(f"{key} = {value!r}" in said for key, value in injected.items())


@every_grid
def test_a_line_that_stays_a_comment_changes_nothing(name):
    page = {}
    exec(parameters_cell(name), page)
    defaults = chapters.parameters(chapters.read_source(ROOT, name))
    assert {key: page[key] for key in defaults} == defaults


def test_a_chapter_without_a_full_profile_has_no_such_line():
    for name in set(chapters.chapter_names(ROOT)) - set(WITH_GRID):
        assert "use_full_profile" not in parameters_cell(name)


@every_grid
def test_the_time_said_counts_every_training_of_the_page_once(name):
    defaults = chapters.parameters(chapters.read_source(ROOT, name))
    values = {**defaults, **execution.profile_parameters(name, defaults)}
    varied = [key for key in profiles.profile(name)["grid"][0] if isinstance(defaults[key], list)]
    runs = profiles.repeated_runs(name, values)
    trained = math.prod(len(values[key]) for key in varied) - TRAINS_NOTHING.get(name, 0)
    assert len(runs) == trained or (name in PARTLY and 0 < len(runs) < trained)
    described = [json.dumps([run.provenance["parameters"], run.setting, run.seed], sort_keys=True) for run in runs]
    assert len(set(described)) == len(runs)


def test_the_time_said_is_that_of_the_records(capsys):
    page = {}
    exec(parameters_cell("dropout"), page)
    use_full_profile("dropout", page)
    path = profiles.records.FOLDER / "dropout.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["runs"]
    own = [row for row in rows if row["seed"] in page["seeds"] and not row["parameters"].get("split")]
    seconds = sum(
        row["seconds"] for row in own if row["setting"]["hidden"] == 32 and row["setting"]["learning_rate"] == 1e-3
    )
    assert f"took {seconds / 3600:.1f} h when it was recorded (CPU, " in capsys.readouterr().out


@every_grid
def test_it_is_said_when_only_some_of_the_runs_were_recorded(name, capsys):
    page = {}
    exec(parameters_cell(name), page)
    use_full_profile(name, page)
    said = capsys.readouterr().out
    some = re.search(r"The training of (\d+) of its (\d+) runs took", said)
    if name in PARTLY or name in TRAINS_NOTHING:
        assert some and int(some[1]) < int(some[2])
        assert int(some[1]) == len(profiles.repeated_runs(name, page))
    else:
        assert not some and "The training alone took" in said


def test_a_mistake_gets_a_sentence():
    with pytest.raises(ValueError, match="'vgg-parameters' has no full profile"):
        use_full_profile("vgg-parameters", {})
    with pytest.raises(ValueError, match=r"Run the parameters cell of dropout first: dataset, epochs, rates, seeds"):
        use_full_profile("dropout", {})
