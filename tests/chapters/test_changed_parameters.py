"""A reader who changes a value that a page invites to change gets a page that runs through, never a traceback."""

import nbformat
import pytest
from books import NAMES, ROOT

from companion.publish import UserError
from companion.publish.notebooks import chapters, checks, execution

INVITED = {  # chapter: the changes that its text or its exercises invite; quick ones, for each executes the page once
    "logistic-map": [{"points": [50], "noises": [0.2], "variants": ["wide", "Keras start"], "rounds": 2}],
    "vgg-parameters": [{"num_classes": 10}, {"image_size": 112}],
    "rnn-vs-cnn": [{"networks": ["lstm", "conv", "lstm-padded"], "epochs": 2}],
    "transfer-learning": [
        {"arms": ["full", "scratch"], "epochs": 1},
        {"arms": ["full", "discriminative"], "epochs": 1},
    ],
    "dropout": [{"rates": [0.5], "epochs": 1}, {"rates": [0.0, 0.25, 0.75], "hidden": 16, "epochs": 1}],
    "depth": [{"depths": [1, 3], "epochs": 1}],
    "linear-regression": [{"epochs": 4, "partitions": ["seed"], "seeds": [0, 1]}, {"epochs": 3, "inputs": ["raw"]}],
    "cross-validation": [{"epochs": 1, "repeats": 3, "missing": ["mean-before-split"], "rates": [0.2]}],
    "autograd-and-backprop": [{"losses": ["cross-entropy"], "epochs": 5}],
    "losses-and-skips": [
        {"activation": "relu", "epochs": 1},
        {"optimizer": "adam", "learning_rate": 1e-3, "epochs": 1},
    ],
    "dense-mnist": [{"networks": ["quarter"], "epochs": 3}],
    "text-regularisation": [{"recipes": ["L2 0.01", "L2 + norm 0.1"], "part": "search", "epochs": 2}],
    "simple-cnn": [{"networks": ["two pools"], "optimizer": "Adam", "learning_rate": 1e-3, "epochs": 1, "stages": 1}],
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
