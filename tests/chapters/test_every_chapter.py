"""Every chapter as committed: its pair, its outputs, parameters and length, what may not be typed, and its record."""

import ast
import inspect
import itertools
import json
import math
import re

import nbformat
import pytest

import companion
from companion import catalogue, load_claims
from companion.data.cifar import CIFAR10_FINGERPRINT
from companion.evidence import profiles, records
from companion.publish import project
from companion.publish.notebooks import chapters, execution, form, pairs, recording, template, verdicts

ROOT = project.project_root(__file__ + "/..")
NAMES = chapters.chapter_names(ROOT)
every_chapter = pytest.mark.parametrize("name", NAMES)


def source(name):
    return chapters.read_source(ROOT, name)


@every_chapter
def test_the_committed_notebook_is_the_markdowns_pair_with_outputs_of_the_present_code(name):
    assert pairs.check_pair(ROOT, name) == []


@every_chapter
def test_the_recorded_runs_were_made_by_the_present_code_or_its_changes_are_signed(name):
    assert recording.changed_code(ROOT, name) == []


@every_chapter
def test_jupytext_reads_the_pair_as_equal(name):
    pair = nbformat.read(chapters.pair_path(ROOT, name), as_version=4)
    assert pair.metadata["jupytext"]["formats"] == "md:myst,ipynb"
    assert [cell.source for cell in pair.cells] == [cell.source for cell in source(name).cells]


@every_chapter
def test_most_cells_are_compared_and_each_ignored_one_has_its_reason_beside_it(name):
    notebook = source(name)
    cells = chapters.code_cells(notebook)
    ignored = [cell for cell in cells if "nbval-ignore-output" in chapters.tags(cell)]
    assert len(ignored) / len(cells) <= 0.15
    for cell in ignored:
        before = notebook.cells[notebook.cells.index(cell) - 1].source
        assert "processor" in before, "the text before an ignored cell says why it is not compared"


@every_chapter
def test_the_full_profile_knows_only_parameters_of_the_chapter(name):
    defaults = chapters.parameters(source(name))
    values = execution.profile_parameters(name, defaults)
    assert all(type(values[key]) is type(defaults[key]) for key in values)
    lists = [key for key in values if isinstance(values[key], list)]
    assert all(set(defaults[key]) <= set(values[key]) for key in lists), "the page needs all that it shows by default"
    if profiles.profile(name).get("grid"):
        assert recording.plan_jobs(name, defaults)
        recording.job_notebook(source(name))


def test_every_profile_belongs_to_a_chapter():
    assert {path.stem for path in profiles.FOLDER.glob("*.yml")} <= set(NAMES)


CODE_LINES = 350  # that a reader sees without unfolding anything; comments and empty lines do not count
WORDS = (1000, 2500)  # that a reader sees without unfolding anything


@every_chapter
def test_a_chapter_fits_one_sitting(name):
    notebook = source(name)
    cells = chapters.code_cells(notebook)
    assert len(cells) >= 12 and max(len(cell.source.splitlines()) for cell in cells) <= 30
    assert len(form.seen_code(notebook)) <= CODE_LINES, "fold what only draws or measures, or move it into the package"
    assert WORDS[0] <= form.seen_words(notebook) <= WORDS[1]


@every_chapter
def test_a_chapter_has_the_form_that_all_chapters_have(name):
    assert form.problems(source(name), name) == []


@every_chapter
def test_the_minutes_that_a_chapter_s_head_states_are_those_that_its_words_and_code_take(name):
    stated, estimated = form.stated_times(source(name)), form.reading_minutes(source(name))
    assert stated, f"{name}: its head states no time"
    assert stated[0] / 2 <= estimated <= 2 * stated[0], (
        f"{name}: {stated[0]} minutes stated, about {estimated:.0f} by its length"
    )


@pytest.mark.slow
@every_chapter
def test_the_seconds_that_a_chapter_s_head_states_are_those_that_its_run_took(name):
    path = execution.executed_path(ROOT, name)
    if not path.is_file():
        pytest.skip(f"{name} is not executed yet (make book)")
    about, stated = chapters.read_notebook(path).metadata["companion"], form.stated_times(source(name))
    seconds = about.get("cpu", about["seconds"])  # of one core: what else the machine does has no part in it
    assert stated, f"{name}: its head states no time"
    few = 5  # seconds that no reader minds; a core may be three times as quick or as slow as that of the head
    assert stated[1] / 3 - few <= seconds <= 3 * stated[1] + few, (
        f"{name}: {stated[1]} seconds stated, {seconds:.0f} taken"
    )


@every_chapter
def test_a_chapter_reads_in_colab_as_in_html(name):
    notebook = source(name)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"^(```|:::)\{|\{(ref|numref|cite|doc|term|glue)[:}`]", cell.source, re.M), (
                cell.source[:60]
            )
        else:
            assert max(map(len, cell.source.splitlines()), default=0) <= 88, cell.source[:60]
    headings = re.findall(r"^(#+) ", "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown"), re.M)
    levels = [len(h) for h in headings]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels)), "no heading level is skipped"


@every_chapter
def test_no_cell_hushes_its_last_value_with_a_semicolon(name):
    """IPython looks the semicolon up in its history, which nbval's kernels do not keep: there the value would be shown."""
    last = [cell.source.rstrip().rpartition("\n")[2] for cell in chapters.code_cells(source(name))]
    assert not [line for line in last if line.split("  #")[0].rstrip().endswith(";")], "write `_ = …` instead"


@every_chapter
def test_the_first_code_cell_installs_only_what_is_missing(name):
    first = chapters.code_cells(source(name))[0].source
    assert first == template.first_cell(ROOT)
    assert f"git+{project.repository(ROOT)}\n" in first and "torch" not in first and "==" not in first


@every_chapter
def test_correct_values_of_the_ledger_are_never_typed(name):
    text = (ROOT / "book" / f"{name}.md").read_text(encoding="utf-8")
    for claim in load_claims(name).values():
        values, reported = (v if isinstance(v, list) else [v] for v in (claim.correct, claim.reported))
        for value in values:
            if isinstance(value, int) and value > 1000 and value not in reported:
                for form in (str(value), f"{value:,}", f"{value:_}", f"{value:,}".replace(",", " ")):
                    assert form not in text, claim.id


@every_chapter
def test_every_ledger_row_of_the_chapter_is_judged(name):
    judged = verdicts.collect_verdicts([nbformat.read(chapters.pair_path(ROOT, name), as_version=4)])
    assert set(judged) == set(load_claims(name))
    assert "not yet tested" not in {verdict.status for verdict in judged.values()}


def names_of(parameter):
    """What a setting may be called whose values a parameter lists: network for networks, loss for losses."""
    return {parameter, parameter.removesuffix("s"), parameter.removesuffix("es"), parameter.removesuffix("ies") + "y"}


@every_chapter
def test_no_output_names_an_object_by_its_place_in_memory(name):
    """What a cell's last line leaves, a legend say: nothing for a reader, and another number in every run."""
    notebook = nbformat.read(chapters.pair_path(ROOT, name), as_version=4)
    said = [
        (number, output.get("text") or output.get("data", {}).get("text/plain", ""))
        for number, cell in enumerate(chapters.code_cells(notebook))
        for output in cell.outputs
    ]
    assert [found for found in said if re.search(r"\b0x[0-9a-f]{6,}", found[1])] == []


@every_chapter
def test_the_live_payload_has_no_timings(name):
    text = chapters.pair_path(ROOT, name).read_text(encoding="utf-8")
    assert '"seconds"' not in text and "iopub" not in text


def defined_functions(notebook):
    for cell in chapters.code_cells(notebook):
        if "%pip" not in cell.source:
            for node in ast.parse(cell.source).body:
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    yield node


def without_docstring(node):
    """The code of a function or a class, without its own docstring and those inside it."""
    for inner in ast.walk(node):
        if isinstance(inner, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(inner):
            inner.body = inner.body[1:]
    return ast.dump(node)


WRITTEN_OUT = ("models.images", "models.sequences", "training.augmentation")  # all of it stands on some page


def test_blocks_written_out_on_a_page_equal_the_packages():
    """What a page defines under a name that the package has too, with the same parameters, is the same code."""
    equal = set()
    for name in NAMES:
        for node in defined_functions(source(name)):
            if node.name in companion.__all__:
                module = ast.parse(inspect.getsource(getattr(companion, node.name))).body[0]
                if isinstance(node, ast.FunctionDef) and ast.dump(node.args) != ast.dump(module.args):
                    continue  # a function of the page's own, such as accuracy(predictions)
                assert without_docstring(node) == without_docstring(module), f"{node.name} in {name}"
                equal.add(node.name)
    assert {name for module in WRITTEN_OUT for name in catalogue.NAMES[module]} <= equal


# ------------------------------------------------------------------------------------------------------- the records


@pytest.mark.parametrize("name", [n for n in NAMES if profiles.profile(n).get("grid")])
def test_the_record_holds_every_job_of_the_grid_and_nothing_else(name):
    jobs = recording.plan_jobs(name, chapters.parameters(source(name)))
    path = records.FOLDER / f"{name}.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["runs"]
    planned = {json.dumps(records.identity(job.parameters), sort_keys=True): job.parameters for job in jobs}
    assert {json.dumps(records.identity(row["parameters"]), sort_keys=True) for row in rows} == set(planned)
    settings = {name for row in rows for name in ("seed", *row["setting"])}
    choices = [  # a list of values of a setting makes a run of each; other lists are read whole
        [len(v) for name, v in job.injected.items() if isinstance(v, list) and names_of(name) & settings]
        for job in jobs
    ]
    assert len(rows) == sum(map(math.prod, choices))
    for row in rows:
        assert row["commit"] != "unknown" and not row["commit"].endswith("+"), "recorded from committed code"
        assert len(row["data"]["fingerprint"]) == 64 and row["device"] and row["versions"]["torch"]
        epochs = row["parameters"].get("epochs")  # a chapter may count its training in something else
        lengths = {len(curve) for curve in row["history"].values() if isinstance(curve, list)}
        whole = epochs is None or epochs % max(lengths) == 0 or max(lengths) % epochs == 0
        assert len(lengths) == 1 and whole, "all epochs, every n-th, or those of several stages"


def test_records_of_cifar_name_the_verified_data():
    for path in (records.FOLDER).glob("*.json"):
        for row in json.loads(path.read_text(encoding="utf-8"))["runs"]:
            if row["parameters"].get("dataset") == "cifar10":
                assert row["data"]["fingerprint"] == CIFAR10_FINGERPRINT
