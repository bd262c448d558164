"""The gate refuses an executed notebook that is bad in one way, and passes the good one."""

import copy

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from companion.publish.notebooks import checks

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
