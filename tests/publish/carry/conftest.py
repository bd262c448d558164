"""A small site to carry away."""

import pytest
from small_site import FRONT, ONE, PAGE


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A root with a built site of two pages, as Jupyter Book leaves it."""
    site = tmp_path / "_build" / "html"
    for folder in (tmp_path / "book", site / "book", site / "_static", site / "_images", site / "scripts"):
        folder.mkdir(parents=True)
    (tmp_path / "_config.yml").write_text(
        "title: Small\nauthor: us\nrepository: {url: https://github.com/OWNER/small}\n"
    )
    (tmp_path / "_toc.yml").write_text(
        'format: jb-book\nroot: book/index\nparts:\n- caption: "Part <1>"\n  chapters:\n  - file: book/one.ipynb\n'
    )
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1"\ndescription = "a small book"\n')
    (site / "_static" / "a.css").write_text("p { margin: 0 }")
    (site / "index.html").write_text("<p>to the book</p>")
    (site / "search.html").write_text("<html><head></head><body></body></html>")
    (site / "book" / "index.html").write_text(PAGE % FRONT)
    (site / "book" / "one.html").write_text(PAGE % ONE)
    monkeypatch.setattr(
        "companion.publish.project.tracked_files", lambda root: {"src/companion/evidence/records/one.json"}
    )
    return tmp_path
