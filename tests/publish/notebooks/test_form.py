"""The form of a chapter: a page that has all of it passes, and each thing that is missing is named."""

import os
import re
import shutil
import subprocess
import sys
import time

import jupytext
import nbformat
import pytest
from books import ROOT
from tiny_book import FORMED

from companion.publish.notebooks import chapters, form, pairs


def read(text=FORMED):
    return jupytext.reads(text, fmt={"extension": ".md"})


def test_a_chapter_with_everything_passes():
    assert form.problems(read(), "tiny") == []


WRONG = {  # what is changed in the chapter with everything, and what is said of it
    "a head that lacks an item": (
        "- **Level:** first steps\n",
        "",
        "the head has the items Question, Before this, Time, After",
    ),
    "no head": ('+++ {"tags": ["head"]}', "+++", "the second cell, directly under the title, has to be its head"),
    "another time": ("about 2 minutes to read", "a while to read", "the head's time has to be of the form"),
    "another level": ("first steps", "easy", "the head's level is 'easy'"),
    "a fold without a name": (
        "# @title Check: the sum is that of the formula\n",
        "",
        "code cell 4 is folded and has no name",
    ),
    "a name without a fold": (
        ":tags: [answer-1]\n\n",
        ":tags: [answer-1]\n\n# @title Sum\n",
        "'Sum' and is not folded",
    ),
    "a question without an answer": (
        '{"tags": ["answer-2"]}',
        "",
        "question 2 of 'Predict first' has no cell tagged 'answer-2'",
    ),
    "an answer without a question": ("[answer-1]", "[answer-1, answer-3]", "'answer-3', and there is no such question"),
    "an answer above its question": ("[parameters]", "[parameters, answer-1]", "question 1 stands above the question"),
    "questions that are not counted": ("2. Is their", "3. Is their", "questions, numbered from 1"),
    "nothing to predict": ('{"tags": ["predict"]}', "", "one Markdown cell has to have the tag 'predict'; 0 have it"),
    "an answer with a heading": ("For three numbers", "#### So\n\nFor three numbers", "one without a heading"),
    "an announced solution": (
        "How many numbers",
        "Solution (open the cell below):\n\nHow many",
        "a sentence announces a solution",
    ),
    "an exercise of another kind": (
        "Exercise 1: count",
        "Exercise 1: think",
        "'Exercise 1: think' has to be 'Exercise 1: '",
    ),
    "an exercise of another number": (
        "Exercise 2: open",
        "Exercise 3: open",
        "'Exercise 3: open' has to be 'Exercise 2: '",
    ),
    "an open exercise without a hint": ("Look around.", "", "exercise 2: its hint has to be"),
    "a solution that is not folded": ("<summary>Solution</summary>", "", "exercise 1: its solution has to begin with"),
    "no solution": ("solution", "other", "exercise 1: it has no solution"),
    "code of a solution without a name": ("# @title Solution\n", "", "the code of its solution needs the tags"),
    "no section for tomorrow": ("## Use it tomorrow", "## Use", "it has no section 'Use it tomorrow'"),
    "another order": ("## Summary", "## References\n\n## Summary", "its last sections have to be, in this order"),
    "code that needs the book": ("print(sum([2", "import companion\nprint(sum([2", "imports companion"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_a_chapter_lacks_is_named(wrong):
    before, after, words = WRONG[wrong]
    assert before in FORMED
    found = form.problems(read(FORMED.replace(before, after)), "tiny")
    assert any(problem.startswith("tiny: ") and words in problem for problem in found), found


def test_a_solution_of_the_old_form_is_named():
    old = re.sub(
        r'\+\+\+ \{"tags": \["solution"\]\}.*?</details>\n', "Solution (open the cell below):\n", FORMED, flags=re.S
    )
    assert {"a sentence announces a solution" in problem for problem in form.problems(read(old), "tiny")} == {
        True,
        False,
    }


def test_only_what_is_seen_counts_for_the_length_of_a_page():
    cell, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    code = cell("# a comment\n\nx = 1  # one\n    # indented\ny = 2")
    folded = [cell("z = 3", metadata={"tags": [tag]}) for tag in form.NOT_SEEN]
    words = [
        text("one [two](https://example.org/a/b) three"),
        *(text("no", metadata={"tags": [t]}) for t in ("hint", "solution")),
    ]
    notebook = nbformat.v4.new_notebook(cells=[code, *folded, cell("", metadata={"tags": ["record"]}), *words])
    assert form.seen_code(notebook) == ["x = 1  # one", "y = 2"]
    assert form.seen_words(notebook) == 3
    assert form.reading_minutes(notebook) == pytest.approx(3 / form.WORDS + 2 / form.LINES)


def test_the_times_are_read_from_the_head():
    assert form.stated_times(read()) == (2, 1)
    assert form.stated_times(read(FORMED.replace('["head"]', '["other"]'))) is None


# ------------------------------------------------------------------------------------------------------ Jupyter and Colab


def test_jupyter_and_colab_fold_what_the_page_folds():
    cells = {cell.source.partition("\n")[0]: cell.metadata for cell in chapters.code_cells(form.shut(read()))}
    check, sign = cells["# @title Check: the sum is that of the formula"], cells["# @title The sign of a product {two}"]
    assert check["cellView"] == sign["cellView"] == "form"
    assert check["jupyter"] == {"source_hidden": True, "outputs_hidden": True}
    assert sign["jupyter"] == {"source_hidden": True}, "what a figure's cell shows stays open"
    assert not {"cellView", "jupyter"} & set(cells["top = 3"])


def test_the_folds_of_a_notebook_never_come_into_its_markdown(tmp_path):
    """Whoever saves the notebook in Jupyter, where jupytext writes both halves, gets the same Markdown."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    text, pair = tmp_path / "one.md", tmp_path / "one.ipynb"
    text.write_text(FORMED, encoding="utf-8")
    sync = [sys.executable, "-m", "jupytext", "--sync"]

    def save(path):
        for file in (text, pair):
            if file.exists():
                os.utime(file, (time.time() - 100 * (file != path),) * 2)
        subprocess.run([*sync, path.name], cwd=tmp_path, check=True, capture_output=True)

    save(text)
    first = text.read_text(encoding="utf-8")
    nbformat.write(form.shut(nbformat.read(pair, as_version=4)), pair)
    for path in (pair, text):
        save(path)
        assert text.read_text(encoding="utf-8") == first
    assert "cellView" not in first and "source_hidden" not in first


def test_a_pair_without_its_folds_is_refused_and_with_them_passes(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/index\nchapters:\n- file: book/one.ipynb\n")
    (tmp_path / "book" / "one.md").write_text(FORMED)
    notebook = chapters.read_source(tmp_path, "one")
    for number, cell in enumerate(chapters.code_cells(notebook), 1):
        cell.execution_count = number
    uses = {"modules": ["__init__"], "records": [], "claims": [], "profiles": []}
    notebook.metadata["companion"] = {"hash": chapters.code_hash(notebook, uses), "uses": uses}
    nbformat.write(notebook, tmp_path / "book" / "one.ipynb")
    assert "differs from one.md" in pairs.check_pair(tmp_path, "one")[0]
    nbformat.write(form.shut(notebook), tmp_path / "book" / "one.ipynb")
    assert pairs.check_pair(tmp_path, "one") == []
