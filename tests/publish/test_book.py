"""The chapters as committed: pairs, outputs, parameters, lengths, links, and what may not be typed."""

import ast
import inspect
import itertools
import json
import re
import subprocess
import sys

import nbformat
import pytest

import companion
from companion import load_claims
from companion.data.cifar import CIFAR10_FINGERPRINT
from companion.evidence import profiles, records
from companion.publish import project
from companion.publish.notebooks import chapters, execution, pairs, recording, template, verdicts

ROOT = project.project_root(__file__ + "/..")
NAMES = chapters.chapter_names(ROOT)
every_chapter = pytest.mark.parametrize("name", NAMES)


def source(name):
    return chapters.read_source(ROOT, name)


@every_chapter
def test_the_committed_notebook_is_the_markdowns_pair_with_outputs_of_the_present_code(name):
    assert pairs.check_pair(ROOT, name) == []


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


@every_chapter
def test_a_chapter_fits_one_sitting(name):
    notebook = source(name)
    lengths = [len(cell.source.splitlines()) for cell in chapters.code_cells(notebook)]
    words = sum(len(cell.source.split()) for cell in notebook.cells if cell.cell_type == "markdown")
    assert 12 <= len(lengths) <= 32 and max(lengths) <= 30
    assert 1000 <= words <= 2400


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
def test_the_first_code_cell_installs_only_what_is_missing(name):
    first = chapters.code_cells(source(name))[0].source
    assert first == template.first_cell(ROOT)
    assert f"git+{project.repository(ROOT)}\n" in first and "torch" not in first and "==" not in first


@every_chapter
def test_correct_values_of_the_ledger_are_never_typed(name):
    text = (ROOT / "book" / f"{name}.md").read_text(encoding="utf-8")
    for claim in load_claims(name).values():
        values = claim.correct if isinstance(claim.correct, list) else [claim.correct]
        for value in values:
            if isinstance(value, int) and value > 1000 and value != claim.reported:
                for form in (str(value), f"{value:,}", f"{value:_}", f"{value:,}".replace(",", " ")):
                    assert form not in text, claim.id


@every_chapter
def test_every_ledger_row_of_the_chapter_is_judged(name):
    judged = verdicts.collect_verdicts([nbformat.read(chapters.pair_path(ROOT, name), as_version=4)])
    assert set(judged) == set(load_claims(name))
    assert "not yet tested" not in {verdict.status for verdict in judged.values()}


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
    assert equal == {
        *("conv_block", "small_cnn", "small_gap_cnn", "small_mlp"),
        *("crop_and_flip", "shift_accuracy", "shift_images"),
        *("AttentionPool", "ConvNet", "RecurrentNet", "last_step", "sequence_lengths"),
    }


# ------------------------------------------------------------------------------------------------------- the records


@pytest.mark.parametrize("name", [n for n in NAMES if profiles.profile(n).get("grid")])
def test_the_record_holds_every_job_of_the_grid_and_nothing_else(name):
    jobs = recording.plan_jobs(name, chapters.parameters(source(name)))
    path = records.FOLDER / f"{name}.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["runs"]
    planned = {json.dumps(records.identity(job.parameters), sort_keys=True): job.parameters for job in jobs}
    assert {json.dumps(records.identity(row["parameters"]), sort_keys=True) for row in rows} == set(planned)
    trainings = [len(parameters.get("held_out", [0])) for parameters in planned.values()]  # one for each held-out part
    assert len(rows) == sum(trainings)
    for row in rows:
        assert row["commit"] != "unknown" and not row["commit"].endswith("+"), "recorded from committed code"
        assert len(row["data"]["fingerprint"]) == 64 and row["device"] and row["versions"]["torch"]
        assert all(
            len(curve) == row["parameters"]["epochs"] for curve in row["history"].values() if isinstance(curve, list)
        )


def test_records_of_cifar_name_the_verified_data():
    pass

    for path in (records.FOLDER).glob("*.json"):
        for row in json.loads(path.read_text(encoding="utf-8"))["runs"]:
            if row["parameters"].get("dataset") == "cifar10":
                assert row["data"]["fingerprint"] == CIFAR10_FINGERPRINT


# ------------------------------------------------------------------------------------------------- the whole project


def test_every_page_of_the_contents_exists_and_every_chapter_is_listed():
    pages = project.toc_pages(ROOT)
    for page in pages:
        path = ROOT / page
        assert path.is_file() or path.with_suffix(".md").is_file(), page
    pairs = {path.stem for path in (ROOT / "book").glob("*.ipynb")}
    assert pairs == set(NAMES)


def test_the_public_address_stands_in_one_place_and_the_rest_derives_from_it():
    address = project.repository(ROOT)
    assert re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", address)
    assert f'"{address}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    own = address.removeprefix("https://github.com/")
    for path in [ROOT / "README.md", *(ROOT / "book").glob("*.md")]:
        text = path.read_text(encoding="utf-8")
        assert all(link == own for link in re.findall(r"colab\.research\.google\.com/github/([\w.-]+/[\w.-]+)", text))
        assert all(link == own for link in re.findall(r"git clone https://github\.com/([\w.-]+/[\w.-]+)", text))
    for path in [ROOT / "README.md", *(ROOT / "book").glob("*.md")]:
        for other in re.findall(r"git\+(https://github\.com/[\w.-]+/[\w-]+)", path.read_text(encoding="utf-8")):
            assert other == address, path.name


@pytest.mark.parametrize("words", [["check"], ["format", "--check"]])
def test_the_code_is_clean_and_formatted(words):
    places = [
        place for place in ("src", "tests", "benchmarks", "tools", "dodo.py", "conftest.py") if (ROOT / place).exists()
    ]
    done = subprocess.run([sys.executable, "-m", "ruff", *words, *places], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_local_link_of_the_papers_leads_somewhere(name):
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / name).read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).is_file()] == []
    assert links or name != "README.md"


def test_the_template_keeps_the_rules_for_code_lines():
    code = re.findall(r"```\{\{code-cell\}\} ipython3\n(.*?)```", template.TEMPLATE, re.S)
    code += [template.first_cell(ROOT), template.FULL_PROFILE]
    lines = [line for block in code for line in block.splitlines() if "alt:" not in line]
    assert code and max(map(len, lines)) <= 88


def test_the_repository_stays_small():
    files = [ROOT / name for name in project.tracked_files(ROOT) or [] if name]
    sizes = {path.name: path.stat().st_size for path in files if path.is_file()}
    assert not {name: size for name, size in sizes.items() if size > 1_500_000}
    assert sum(sizes.values()) < 15_000_000


def test_importing_the_package_loads_neither_torch_nor_the_book_tools():
    code = "import companion, sys; print([m for m in ('torch', 'papermill', 'jupytext', 'matplotlib') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_no_module_imports_the_builder():
    for path in project.PACKAGE.glob("*.py"):
        if path.name != "__main__.py":
            assert not re.search(r"(from|import) companion\.build", path.read_text(encoding="utf-8")), path.name


def test_every_public_name_exists():
    for name in companion.__all__:
        assert getattr(companion, name) is not None
