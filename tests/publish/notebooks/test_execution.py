"""Chapters as a whole: parameters, execution by papermill, the outputs of their pairs, and the commit that is named."""

import json
import subprocess

import nbformat
import pytest
from tiny_book import TINY

from companion.publish import UserError, project
from companion.publish.notebooks import chapters, execution, figures, pairs

ROOT = project.project_root(__file__ + "/..")


# -------------------------------------------------------------------------------------------- parameters and jobs


def test_parameters_are_read_as_literals(book):
    assert chapters.parameters(chapters.read_source(book, "tiny")) == {"rate": 0.5, "seeds": [0], "wait": 0}


def test_a_parameter_that_is_no_literal_is_refused(book):
    (book / "book" / "tiny.md").write_text(TINY.replace("wait = 0", "wait = len(seeds)"))
    with pytest.raises(UserError, match="line 3"):
        chapters.parameters(chapters.read_source(book, "tiny"))
    (book / "book" / "tiny.md").write_text(TINY.replace("wait = 0", "wait = = 0"))
    with pytest.raises(UserError, match="no Python: line 3"):
        chapters.parameters(chapters.read_source(book, "tiny"))


def test_a_chapter_run_as_a_whole_takes_lists_where_it_has_lists_and_one_value_elsewhere(book):
    defaults = {"rate": 0.5, "seeds": [0], "wait": 0}
    assert execution.profile_parameters("tiny", defaults) == {"wait": 0, "rate": 0.25, "seeds": [0, 1]}


def test_an_unknown_chapter_is_named_with_the_known_ones(book):
    with pytest.raises(UserError, match="no chapter 'tine'; the chapters are tiny"):
        chapters.read_source(book, "tine")


# ------------------------------------------------------------------------------------------------------- execution


@pytest.mark.slow
def test_papermill_executes_a_chapter_and_leaves_no_half_file_on_failure(book):
    path = execution.execute_chapter(book, "tiny")
    notebook = nbformat.read(path, as_version=4)
    assert [cell.execution_count for cell in chapters.code_cells(notebook)] == [1, 2, 3, 4]
    assert notebook.metadata["companion"]["profile"] == "quick"
    before = path.read_bytes()
    (book / "book" / "tiny.md").write_text(TINY.replace("time.sleep(wait)", "raise ValueError('not today')"))
    with pytest.raises(UserError, match=r"tiny: cell \[2\] failed with ValueError: not today"):
        execution.execute_chapter(book, "tiny")
    assert path.read_bytes() == before


@pytest.mark.slow
def test_the_recipe_takes_outputs_over_where_only_words_changed_and_executes_where_code_did(book, monkeypatch):
    page = book / "book" / "tiny.md"
    assert execution.task(book, "tiny") is None
    first = nbformat.read(execution.executed_path(book, "tiny"), as_version=4)
    page.write_text(TINY.replace("# Tiny", "# Tiny, in other words"))
    monkeypatch.setattr(execution, "execute", lambda *args: pytest.fail("it was executed"))
    assert execution.task(book, "tiny") is None
    second = nbformat.read(execution.executed_path(book, "tiny"), as_version=4)
    assert (
        second.cells[0].source != first.cells[0].source and second.metadata["companion"] == first.metadata["companion"]
    )
    outputs = [[cell.outputs for cell in chapters.code_cells(notebook)] for notebook in (first, second)]
    assert outputs[0] == outputs[1] and any(outputs[0])
    monkeypatch.undo()
    page.write_text(TINY.replace("time.sleep(wait)", "raise ValueError('not today')"))
    assert "not today" in str(execution.task(book, "tiny"))


@pytest.mark.slow
def test_refresh_repeated_writes_the_same_bytes_and_keeps_cell_ids(book):
    pairs.refresh(book, "tiny")
    path = chapters.pair_path(book, "tiny")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0]["id"] = "kept-id"
    nbformat.write(notebook, path)
    pairs.refresh(book, "tiny")
    first = path.read_bytes()
    assert nbformat.read(path, as_version=4).cells[0].id == "kept-id"
    pairs.refresh(book, "tiny")
    assert path.read_bytes() == first
    assert not pairs.stale(book, "tiny")
    text = path.read_text()
    assert "seconds" not in json.dumps(execution.payloads(nbformat.reads(text, as_version=4), "companion_record"))


def test_the_commit_is_marked_when_sources_changed_but_not_when_records_did(tmp_path):
    def git(*words):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=tmp_path, check=True, capture_output=True
        )

    assert execution.current_commit(tmp_path / "nowhere") == "unknown"
    (tmp_path / "src" / "companion" / "evidence" / "records").mkdir(parents=True)
    (tmp_path / "src" / "companion" / "x.py").write_text("1")
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    clean = execution.current_commit(tmp_path)
    assert len(clean) == 10
    (tmp_path / "src" / "companion" / "evidence" / "records" / "dropout.json").write_text("{}")
    assert execution.current_commit(tmp_path) == clean
    (tmp_path / "src" / "companion" / "x.py").write_text("2")
    assert execution.current_commit(tmp_path) == clean + "+"


@pytest.mark.slow
def test_the_seconds_of_a_page_count_its_work_and_neither_waiting_nor_renderings_for_the_site_alone():
    def seconds(code):
        cells = [nbformat.v4.new_code_cell(code)]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        text = execution.execute(nbformat.writes(notebook), {}, start=figures.START)
        return nbformat.reads(text, as_version=4).metadata["companion_cpu"]

    assert 0 < seconds("import time; time.sleep(12)") < 12
    assert seconds("from companion.publish.notebooks import figures; figures.spent += 1000") < 0
