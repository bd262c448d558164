"""Every chapter as Colab runs it: beside what Colab has and nothing more, in an empty folder, installed from a clone.

Every other chapter is in test_colab_too.py, so that two workers share them.
"""

import re
import tomllib
from importlib import metadata

import nbclient
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from rehearsal import NAMES, ROOT, committed, run_chapter

from companion.publish.notebooks import chapters

pytestmark = [pytest.mark.slow, pytest.mark.colab]

PARTS_OF_COLAB = {
    "fonttools",
    "ipykernel",
    "jinja2",
    "markupsafe",
    "packaging",
    "psutil",
}  # its kernel, Matplotlib or PyTorch bring them; our tools use them too


def test_the_machine_has_none_of_the_books_tools_and_not_the_package(colab):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [Requirement(line).name for extra in project["optional-dependencies"].values() for line in extra]
    tools = set(map(canonicalize_name, extras)) - PARTS_OF_COLAB
    held = {canonicalize_name(re.split("==| @ ", line)[0]) for line in colab.at_first}
    assert held == set(colab.distributions) and not held & {*tools, "companion"}
    assert len(tools) > 5 and {"torch", "torchvision", "ipykernel", "seaborn"} <= held


def test_a_first_cell_that_cannot_install_says_what_to_do_and_leaves_everything_as_it_was(colab):
    first_cell_alone = committed(NAMES[0])
    first_cell_alone.cells = chapters.code_cells(first_cell_alone)[:1]
    with pytest.raises(nbclient.exceptions.CellExecutionError) as failure:
        colab.execute(first_cell_alone, clone=colab.folder / "nowhere.git")
    assert failure.value.ename == "AssertionError"
    assert failure.value.evalue.startswith(
        "The book's helpers were not installed: pip says why above. They need Python"
    )
    assert "During handling of" not in str(failure.value)
    assert colab.packages() == colab.at_first


@pytest.mark.parametrize("name", NAMES[::2])
def test_a_chapter_runs_from_top_to_bottom_and_only_the_package_comes_in(colab, name):
    run_chapter(colab, name)


def test_binder_asks_for_the_package_alone_where_the_books_own_versions_are(colab):
    """Every pin of these packages is the one that the book is tested with, and none of the book's tools is asked for."""
    said = colab.run("-m", "pip", "install", "--dry-run", "-r", "binder/requirements.txt", cwd=colab.folder / "tree")
    planned = [line for line in said.splitlines() if line.startswith("Would install")]
    assert planned == [f"Would install companion-{metadata.version('companion')}"]
    assert (ROOT / "binder" / "runtime.txt").read_text(encoding="utf-8").strip() in ("python-3.12", "python-3.13")
