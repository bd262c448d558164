"""The recipe where new processes start from nothing (macOS, Windows): `spawn`, which any system can be told to use."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from books import ROOT, make_small_book
from sources import chapter_start

BUILD = """\
import multiprocessing
import sys

from companion.publish.cli import main

if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    sys.exit(main(["build", "--workers", "2"]))
"""


CHAPTERS = {"first": 4141, "second": 4242}  # what each of them prints


@pytest.mark.slow
def test_two_chapters_are_executed_side_by_side_and_the_site_is_built_under_spawn(tmp_path):
    book = tmp_path / "a book"
    book.mkdir()
    make_small_book(book)
    shutil.rmtree(book / "_build")
    (book / "book" / "dropout.md").unlink()
    shutil.copy(ROOT / "dodo.py", book)
    toc = (book / "_toc.yml").read_text()
    (book / "_toc.yml").write_text(toc.replace("dropout.ipynb\n", "first.ipynb\n  - file: book/second.ipynb\n"))
    for name, number in CHAPTERS.items():
        cell = f"```{{code-cell}} ipython3\nprint({number} + seed)\n```\n"
        (book / "book" / f"{name}.md").write_text(chapter_start(name.title(), "seed = 0") + "\n" + cell)
    script = tmp_path / "build.py"
    script.write_text(BUILD)
    done = subprocess.run([sys.executable, script], cwd=book, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith(os.path.join("_build", "html", "index.html"))
    for name, number in CHAPTERS.items():
        executed = nbformat.read(book / "_build" / "executed" / "quick" / f"{name}.ipynb", as_version=4)
        assert executed.cells[-1].outputs[0].text == f"{number}\n"
        assert str(number) in (book / "_build" / "html" / "book" / f"{name}.html").read_text(encoding="utf-8")
