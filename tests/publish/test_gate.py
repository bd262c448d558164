"""Every check of the gate refuses a notebook or a page that is bad in just that way, and passes the good one."""

import copy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from sources import chapter_start

from companion.publish.notebooks import chapters, checks, pairs
from companion.publish.site import page_checks

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
    notebook.metadata["companion"] = {"hash": chapters.code_hash(notebook)}

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
    before = chapters.dependencies(chapters.read_source(root, "one"))
    monkeypatch.setattr("companion.publish.notebooks.chapters.dependencies", lambda notebook: [*before, module])
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
    assert pairs.check_pair(root, "one") == ["one.ipynb is missing: run `make refresh`"]


# ------------------------------------------------------------------------------------------------------ built pages

REPOSITORY = "https://github.com/OWNER/companion"
COLAB = "https://colab.research.google.com/github/OWNER/companion/blob/main/"
BINDER = "https://mybinder.org/v2/gh/OWNER/companion/main?urlpath=tree/"


def check_page(tmp_path, body, head="", pages=("book/a",)):
    (tmp_path / "html" / "book").mkdir(parents=True, exist_ok=True)
    page = f'<html><head>{head}</head><body><article><h1 id="top">A</h1>{body}</article></body></html>'
    (tmp_path / "html" / "book" / "a.html").write_text(page)
    (tmp_path / "html" / "book" / "x.png").touch()
    return page_checks.check_site(tmp_path / "html", pages, tmp_path, REPOSITORY)


def test_a_good_page_passes(tmp_path, monkeypatch):
    monkeypatch.setattr("companion.publish.site.page_checks.tracked_files", lambda root: {"book/a.ipynb"})
    links = f'<a href="#top">up</a> <a href="https://example.org">out</a> <a href="{COLAB}book/a.ipynb">run</a>'
    assert check_page(tmp_path, links + '<img src="x.png" alt="A line that rises from left to right.">') == []


@pytest.mark.parametrize(
    ("body", "head", "words"),
    [
        ('<img src="https://example.org/x.png" alt="A line that rises from left to right.">', "", "asks for"),
        ("", '<script src="//cdn.example.org/x.js"></script>', "asks for"),
        ("", '<link rel="stylesheet" href="https://example.org/x.css">', "asks for"),
        ('<a href="b.html">b</a>', "", "leads nowhere"),
        ('<a href="#nowhere">b</a>', "", "names no place"),
        ('<img src="x.png" alt="../_images/x.png">', "", "no alt text"),
        ('<img src="x.png">', "", "no alt text"),
        (f'<a href="{COLAB}book/b.ipynb">run</a>', "", "not a tracked file"),
        (f'<a href="{BINDER}book/b.ipynb">run</a>', "", "not a tracked file"),
        ('<a href="https://mybinder.org/v2/gh/else/where/main?urlpath=tree/a.ipynb">run</a>', "", "does not lead to"),
        (f'<a href="{BINDER.replace("main", "master")}book/a.ipynb">run</a>', "", "does not lead to"),
        (
            '<a href="https://colab.research.google.com/github/else/where/blob/main/a.ipynb">run</a>',
            "",
            "does not lead to",
        ),
    ],
)
def test_a_bad_page_is_refused(tmp_path, monkeypatch, body, head, words):
    monkeypatch.setattr("companion.publish.site.page_checks.tracked_files", lambda root: {"book/a.ipynb"})
    assert any(words in problem for problem in check_page(tmp_path, body, head))


@pytest.mark.parametrize(
    ("buttons", "words"),
    [
        (f'<a href="{COLAB}book/a.ipynb"></a><a href="{BINDER}book/a.ipynb"></a>', None),
        (f'<a href="{COLAB}book/a.ipynb"></a>', "no button opens book/a.ipynb in Binder"),
        (f'<a href="{COLAB}book/b.ipynb"></a><a href="{BINDER}book/a.ipynb"></a>', "opens book/a.ipynb in Colab"),
        (f'<a href="{COLAB}book/b.ipynb"></a><a href="{BINDER}book/a.ipynb"></a>', "a button at the top opens https"),
    ],
)
def test_a_chapter_whose_buttons_open_something_else_is_refused(tmp_path, monkeypatch, buttons, words):
    monkeypatch.setattr(
        "companion.publish.site.page_checks.tracked_files", lambda root: {"book/a.ipynb", "book/b.ipynb"}
    )
    body = f'<div class="dropdown-launch-buttons">{buttons}</div>'
    problems = check_page(tmp_path, body, pages=("book/a.ipynb",))
    assert any(words in problem for problem in problems) if words else problems == []


def test_a_missing_page_is_refused(tmp_path):
    assert "the page book/b is missing" in check_page(tmp_path, "", pages=("book/a", "book/b"))


def test_a_style_sheet_that_loads_from_outside_is_refused(tmp_path):
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "x.css").write_text("@import url('https://example.org/font.css');")
    assert any("x.css: loads something from outside" in problem for problem in check_page(tmp_path, ""))
