"""The ledger's verdicts and the chapters that show them, as the committed notebooks have them."""

import nbformat
import pytest
from books import NAMES, ROOT

from companion.publish.notebooks import chapters
from companion.publish.notebooks.verdicts import committed_verdicts


@pytest.fixture(scope="module")
def verdicts():
    return committed_verdicts(ROOT)


@pytest.fixture(scope="module")
def written():
    """{chapter: its committed notebook}, which shows what the executed one does."""
    return {name: nbformat.read(chapters.pair_path(ROOT, name), as_version=4) for name in NAMES}
