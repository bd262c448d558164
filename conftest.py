"""Settings of every test run, nbval's kernels included, and a summary of what nbval really compared."""

import os
from pathlib import Path

import pytest

# One thread: repeatable numbers. Set before any kernel starts, so that kernels inherit it.
os.environ.update(OMP_NUM_THREADS="1", PYTHONHASHSEED="0", TQDM_DISABLE="1", PYDEVD_DISABLE_FILE_VALIDATION="1")

ROOT = Path(__file__).parent


@pytest.fixture(scope="session")
def root():
    return ROOT


CELL = "::Cell "  # how nbval names a cell in a test's id


def pytest_terminal_summary(terminalreporter):
    """Say how many of the notebook cells that passed were compared with their outputs, and how many only run."""
    import nbformat

    from companion.publish.notebooks import chapters

    passed = {}
    for report in terminalreporter.stats.get("passed", []):
        notebook, found, number = report.nodeid.partition(CELL)
        if found and notebook.endswith(".ipynb"):
            passed.setdefault(notebook, set()).add(int(number))
    if passed:
        terminalreporter.section("notebook cells")
    for notebook, numbers in sorted(passed.items()):
        cells = chapters.code_cells(nbformat.read(ROOT / notebook, as_version=4))
        ignored = sum("nbval-ignore-output" in chapters.tags(cells[number]) for number in numbers)
        compared = len(numbers) - ignored
        share = f"{compared / len(numbers):.0%} compared"
        terminalreporter.write_line(f"{notebook}: {compared} cells compared, {ignored} only run ({share})")
