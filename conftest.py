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


def pytest_terminal_summary(terminalreporter):
    """Say how many code cells nbval compares and how many it only runs."""
    import nbformat

    from companion.build import chapters, gate

    terminalreporter.section("notebook cells")
    for name in chapters.chapter_names(ROOT):
        path = chapters.pair_path(ROOT, name)
        if path.exists():
            compared, ignored = gate.comparison(nbformat.read(path, as_version=4))
            share = compared / max(1, compared + ignored)
            terminalreporter.write_line(
                f"{name}: {compared} code cells compared, {ignored} only run ({share:.0%} compared)"
            )
