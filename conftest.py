"""Settings of every test run, nbval's kernels included; nbval on what papermill has executed; a summary of what it compared."""

from pathlib import Path

import pytest

from companion.publish.notebooks.kernels import use_own_environment

use_own_environment()  # repeatable numbers, whatever the user's settings; before any kernel starts, so that kernels inherit it

ROOT = Path(__file__).parent


def pytest_addoption(parser):
    parser.addoption(
        "--executed",
        metavar="FOLDER",
        help="let nbval compare the notebooks that papermill has executed into FOLDER, instead of executing them again",
    )


def pytest_configure(config):
    if folder := config.getoption("--executed"):
        import nbval.plugin
        from replay import setup_from

        nbval.plugin.IPyNbFile.setup = setup_from(ROOT / folder)


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
