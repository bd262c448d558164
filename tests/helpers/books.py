"""The book that the tests look at: its root, its chapters and pages, and a small one that is built in seconds."""

import shutil
from pathlib import Path

import nbformat

from companion.publish import project
from companion.publish.notebooks import chapters

ROOT = project.project_root(Path(__file__).parent)
NAMES = chapters.chapter_names(ROOT)
PAGES = [page.removesuffix(".ipynb") + ".html" for page in project.toc_pages(ROOT)]


def make_small_book(folder):
    """A book of one executed chapter with the pages that the build fills, in that folder."""
    for name in ("static", "scripts"):
        shutil.copytree(ROOT / "book" / name, folder / "book" / name)
    shutil.copy(ROOT / "_config.yml", folder)
    (folder / "book" / "references.bib").write_text("")
    (folder / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nparts:\n- chapters:\n  - file: book/dropout.ipynb\n  - file: book/ledger\n"
    )
    (folder / "book" / "index.md").write_text("# Index\n\n% chapters-table\n")
    (folder / "book" / "ledger.md").write_text("# Ledger\n\n% ledger-table\n")
    source = (ROOT / "book" / "dropout.md").read_text(encoding="utf-8")
    (folder / "book" / "dropout.md").write_text(source, encoding="utf-8")
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# Title\n\nText with $x^2$."),
            nbformat.v4.new_code_cell("1 + 1", execution_count=1),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.metadata["companion"] = {
        "profile": "quick",
        "seconds": 1,
        "device": "cpu",
        "versions": {"Python": "3"},
        "commit": "abc",
        "date": "2026",
    }
    chapters.write_notebook(notebook, folder / "_build" / "executed" / "quick" / "dropout.ipynb")
