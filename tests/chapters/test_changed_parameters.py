"""A reader who changes a value that a page invites to change gets a page that runs through, never a traceback."""

import nbformat
import pytest
from books import NAMES, ROOT

from companion.publish import UserError
from companion.publish.notebooks import chapters, checks, execution

INVITED = {  # chapter: the changes that its text or its exercises invite; quick ones, for each executes the page once
    "simple-cnn": [{"networks": ["two pools"], "optimizer": "Adam", "learning_rate": 1e-3, "epochs": 1, "stages": 1}],
    "vgg-parameters": [{"num_classes": 10}],
}
CHANGES = [(name, values) for name, changes in INVITED.items() for values in changes]


def run_with(name, values):
    """The chapter executed from top to bottom with these parameters. Raises UserError with the cell that fails."""
    source = chapters.read_source(ROOT, name)
    chapters.check_parameters(name, chapters.parameters(source), values)
    return nbformat.reads(execution.execute(nbformat.writes(source), values, ROOT / "book", name), as_version=4)


def test_only_chapters_of_the_book_are_listed():
    assert set(INVITED) <= set(NAMES)


def test_a_value_that_no_page_has_is_refused():
    with pytest.raises(UserError, match="vgg-parameters has no parameter 'classes'"):
        run_with("vgg-parameters", {"classes": 10})


@pytest.mark.slow
@pytest.mark.parametrize(("name", "values"), CHANGES, ids=str)
def test_a_changed_parameter_never_ends_in_a_traceback(name, values):
    executed = run_with(name, values)
    errors = [
        output for cell in chapters.code_cells(executed) for output in cell.outputs if output.output_type == "error"
    ]
    assert errors == [] and not any("papermill-error-cell-tag" in chapters.tags(cell) for cell in executed.cells)
    injected = [cell.source for cell in executed.cells if "injected-parameters" in chapters.tags(cell)]
    assert (
        len(injected) == 1
        and checks.check_parameters(executed, name, chapters.parameters(chapters.read_source(ROOT, name))) == []
    )
