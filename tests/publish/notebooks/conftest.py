"""The small book whose chapter is executed, recorded and refreshed."""

import pytest
from tiny_book import GRID, make_tiny_book


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A book with one tiny chapter whose grid has two rates and two seeds; returns its root."""
    monkeypatch.setattr("companion.evidence.profiles.profile", lambda chapter: GRID)
    return make_tiny_book(tmp_path / "a book é")
