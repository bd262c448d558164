"""Every check of the gate refuses a notebook that is bad in just that way, and passes the good one."""

import copy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from sources import chapter_start

from companion.publish.notebooks import chapters, checks, pairs

ALT = {"mystnb": {"image": {"alt": "A line that rises from left to right."}}}


def good_notebook():
    figure = new_output("display_data", {"image/png": "aGk="})
    return new_notebook(
        cells=[
            new_markdown_cell("# Title"),
            new_code_cell("epochs = 1", execution_count=1, metadata={"tags": ["parameters"]}),
            new_code_cell("print(1)", execution_count=2, outputs=[new_output("stream", name="stdout", text="1\n")]),
            new_code_cell("plot()", execution_count=3, outputs=[figure], metadata=copy.deepcopy(ALT)),
        ]
    )


def test_a_good_notebook_passes():
    assert checks.check_executed(good_notebook(), "good") == []


def spoil_error(nb):
    nb.cells[2].outputs = [new_output("error", ename="ValueError", evalue="no", traceback=[])]


def spoil_banner(nb):
    nb.cells.insert(
        0, new_markdown_cell("An Exception was encountered", metadata={"tags": ["papermill-error-cell-tag"]})
    )


def spoil_uncounted(nb):
    nb.cells[2].execution_count = None


def spoil_order(nb):
    nb.cells[1].execution_count, nb.cells[2].execution_count = 2, 1


def spoil_stderr(nb):
    nb.cells[2].outputs.append(new_output("stream", name="stderr", text="UserWarning: old"))


def spoil_widget(nb):
    nb.cells[2].outputs = [new_output("display_data", {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}})]


def spoil_path(nb):
    nb.cells[2].outputs[0].text = "saved to /home/ana/book/x.png"


def spoil_windows_path(nb):
    nb.cells[2].outputs = [new_output("execute_result", {"text/plain": r"C:\Users\ana"}, execution_count=2)]


def spoil_alt(nb):
    nb.cells[3].metadata = {}


def spoil_short_alt(nb):
    nb.cells[3].metadata["mystnb"]["image"]["alt"] = "figure.png"


def spoil_picture(nb):
    nb.cells[3].outputs = [new_output("display_data", {"text/plain": "<Figure size 640x480 with 1 Axes>"})]


def spoil_empty(nb):
    nb.cells = nb.cells[:1]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_error, "ended with ValueError"),
        (spoil_banner, "error banner"),
        (spoil_uncounted, "was not executed"),
        (spoil_order, "not in order"),
        (spoil_stderr, "wrote to stderr"),
        (spoil_widget, "widget"),
        (spoil_path, "path of the machine"),
        (spoil_windows_path, "path of the machine"),
        (spoil_alt, "without alt text"),
        (spoil_short_alt, "without alt text"),
        (spoil_picture, "code cell 3 has alt text and draws no figure"),
        (spoil_empty, "no code cell"),
    ],
)
def test_a_bad_notebook_is_refused(spoil, words):
    notebook = good_notebook()
    spoil(notebook)
    assert any(words in problem for problem in checks.check_executed(notebook, "bad"))


def test_ordinary_words_with_slashes_are_no_machine_paths():
    notebook = good_notebook()
    notebook.cells[2].outputs[0].text = "train/val and https://example.org/home/page and 1/var"
    assert checks.check_executed(notebook, "good") == []


def test_an_injected_parameter_that_the_chapter_does_not_have_is_refused():
    notebook = good_notebook()
    notebook.cells.insert(2, new_code_cell("# Parameters\nepoch = 5\n", metadata={"tags": ["injected-parameters"]}))
    assert checks.check_parameters(notebook, "bad", {"epochs": 1}) == ["bad: unknown parameter 'epoch'"]
    assert checks.check_parameters(notebook, "bad", {"epoch": 1}) == []


# ------------------------------------------------------------------------------------------------- committed pairs

SOURCE = (
    chapter_start("Title", "epochs = 1")
    + """
```{code-cell} ipython3
print(epochs)
```
"""
)


@pytest.fixture
def pair(tmp_path):
    """A book of one chapter with a fresh pair; returns (root, function that rewrites the notebook)."""
    (tmp_path / "book").mkdir()
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nparts:\n- chapters:\n  - file: book/one.ipynb\n"
    )
    (tmp_path / "book" / "one.md").write_text(SOURCE)
    notebook = chapters.read_source(tmp_path, "one")
    for number, cell in enumerate(chapters.code_cells(notebook), 1):
        cell.execution_count = number
    uses = {"modules": ["__init__"], "records": [], "claims": [], "profiles": []}
    notebook.metadata["companion"] = {"hash": chapters.code_hash(notebook, uses), "uses": uses}

    def write():
        nbformat.write(notebook, tmp_path / "book" / "one.ipynb")

    write()
    return tmp_path, notebook, write


def test_a_fresh_pair_passes(pair):
    assert pairs.check_pair(pair[0], "one") == []


def test_a_pair_whose_code_changed_is_refused(pair):
    root, _, _ = pair
    source = root / "book" / "one.md"
    source.write_text(SOURCE.replace("print(epochs)", "print(epochs + 1)"))
    assert "differs from one.md" in pairs.check_pair(root, "one")[0]


def test_a_pair_with_outputs_of_other_code_is_refused(pair):
    root, notebook, write = pair
    for changed in ("print(epochs + 1)", "epochs = 2"):  # code, then parameters: both halves changed, outputs not
        old = notebook.cells[2].source if "print" in changed else notebook.cells[1].source
        source = (root / "book" / "one.md").read_text().replace(old, changed)
        (root / "book" / "one.md").write_text(source)
        next(cell for cell in notebook.cells if cell.source == old).source = changed
        write()
        assert any("outputs of other code" in problem for problem in pairs.check_pair(root, "one"))


def test_a_pair_made_by_another_package_is_refused(pair, tmp_path, monkeypatch):
    root, _, _ = pair
    module = tmp_path / "training.py"
    module.write_text("TRAIN_SUBSET = 1\n")
    monkeypatch.setattr(chapters, "used_files", lambda uses: [module])
    assert any("outputs of other code" in problem for problem in pairs.check_pair(root, "one"))


def test_a_pair_without_execution_counts_is_refused(pair):
    root, notebook, write = pair
    for cell in chapters.code_cells(notebook):
        cell.execution_count = None
    write()
    assert any("was not executed" in problem for problem in pairs.check_pair(root, "one"))


def test_a_missing_pair_is_named(pair):
    root, _, _ = pair
    (root / "book" / "one.ipynb").unlink()
    assert pairs.check_pair(root, "one") == ["one.ipynb is missing: run `make refresh`."]
