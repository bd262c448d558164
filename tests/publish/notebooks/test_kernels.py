"""What runs in a kernel depends on the book, not on the settings of whoever starts it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from sources import chapter_start

from companion.publish import UserError
from companion.publish.notebooks import execution, kernels

CELLS = """
```{code-cell} ipython3
---
mystnb:
  image:
    alt: One point, drawn to see whether pictures come.
---
import sys, warnings
import matplotlib.pyplot as plt
warnings.warn("only a warning", DeprecationWarning)
axes = plt.subplots()[1].plot([1], [1], "o")
```

```{code-cell} ipython3
print(sys.executable, plt.rcParams["figure.dpi"], "started" in globals(), sys.flags.optimize)
```

```{code-cell} ipython3
import time
print("one")
time.sleep(0.7)
print("two")
```
"""


@pytest.fixture
def book(tmp_path):
    """A book of one chapter that draws, and says which Python runs it with which settings."""
    root = tmp_path / "a book é"
    (root / "book").mkdir(parents=True)
    (root / "_toc.yml").write_text("format: jb-book\nroot: book/index\nchapters:\n- file: book/tiny.ipynb\n")
    (root / "book" / "tiny.md").write_text(chapter_start("Tiny", "wait = 0") + CELLS, encoding="utf-8")
    return root


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def of_a_user_with_settings(home):
    """Variables and files of somebody who has set everything differently."""
    spec = {"argv": ["/bin/false", "{connection_file}"], "display_name": "another", "language": "python"}
    for place in (home / "jupyter" / "kernels" / "python3", home / ".local/share/jupyter/kernels/python3"):
        write(place / "kernel.json", json.dumps(spec))
    write(home / "ipython" / "profile_default" / "startup" / "a.py", "started = True\n")
    write(home / ".ipython" / "profile_default" / "startup" / "a.py", "started = True\n")
    write(home / ".config" / "matplotlib" / "matplotlibrc", "figure.dpi: 37\n")
    write(home / ".jupyter" / "jupyter_config.json", '{"KernelManager": {"ip": "10.0.0.1"}}')
    return os.environ | {
        "HOME": str(home),
        "MPLBACKEND": "Agg",
        "PYTHONWARNINGS": "error::DeprecationWarning:__main__",
        "PYTHONOPTIMIZE": "2",
        "JUPYTER_PATH": str(home / "jupyter"),
        "JUPYTER_DATA_DIR": str(home / "jupyter"),
        "IPYTHONDIR": str(home / "ipython"),
        "LANG": "de_DE.UTF-8",
        "TZ": "Asia/Kathmandu",
    }


@pytest.mark.slow
def test_a_chapter_runs_as_the_book_says_whatever_the_user_has_set(book, tmp_path):
    for name in ("MATPLOTLIBRC", "JUPYTER_CONFIG_DIR", "JUPYTER_NO_CONFIG", "JUPYTER_PREFER_ENV_PATH"):
        assert name in kernels.kernel_environment()
    environment = of_a_user_with_settings(tmp_path / "new home")
    for name in ("MATPLOTLIBRC", "JUPYTER_CONFIG_DIR", "JUPYTER_NO_CONFIG", "JUPYTER_PREFER_ENV_PATH", "LC_ALL"):
        environment.pop(name, None)  # (with LC_ALL of a missing language Python itself reads no path with an umlaut)
    command = [sys.executable, "-m", "companion", "run", "tiny"]
    done = subprocess.run(command, cwd=book, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    executed = nbformat.read(execution.executed_path(book, "tiny"), as_version=4)
    cells = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert any("image/png" in output.get("data", {}) for output in cells[1].outputs)
    assert cells[2].outputs[0].text == f"{sys.executable} 100.0 False 0\n"
    assert [output.text for output in cells[3].outputs] == ["one\ntwo\n"], "one output, however slowly it was printed"


def test_the_environment_keeps_what_is_not_about_outputs():
    given = {"PATH": "/bin", "PYTHONPATH": "src", "PYTHONWARNINGS": "error", "COMPANION_DATA": "x", "MPLBACKEND": "Agg"}
    own = kernels.kernel_environment(given)
    assert (own["PATH"], own["PYTHONPATH"], own["COMPANION_DATA"]) == ("/bin", "src", "x")
    assert not {"PYTHONWARNINGS", "MPLBACKEND"} & set(own)
    assert own["OMP_NUM_THREADS"] == "1"
    written = {path.name for path in Path(own["IPYTHONDIR"]).rglob("*") if path.is_file()}
    themselves = {
        "README",
        "history.sqlite",
        "notebook_secret",
        "nbsignatures.db",
    }  # what IPython and Jupyter put there
    assert written <= themselves, "no start-up files or settings"


class Error(Exception):
    def __init__(self, ename="", evalue="", text=""):
        super().__init__(text)
        self.ename, self.evalue = ename, evalue


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Error("ValueError", "too small"), "ValueError: too small"),
        (Error("KeyboardInterrupt"), "KeyboardInterrupt"),
        (Error(text="a\n\nOSError: [Errno 24] Too many open files\n"), "OSError: [Errno 24] Too many open files"),
        (OSError(24, "Too many open files"), "[Errno 24] Too many open files"),
        (RuntimeError(), "RuntimeError, without a message"),
    ],
)
def test_a_failure_always_has_a_reason(error, words):
    assert kernels.reason(error) == words


@pytest.mark.slow
def test_a_cell_that_ends_without_a_message_is_named_with_its_kind():
    cells = [new_code_cell("x = 1"), new_code_cell("raise AssertionError")]
    with pytest.raises(UserError, match=r"^tiny: cell \[2\] failed with AssertionError$"):
        execution.execute(nbformat.writes(new_notebook(cells=cells)), {}, label="tiny")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
def test_too_few_open_files_are_a_sentence_with_a_reason(book):
    code = "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40)); from companion.publish import cli; sys.exit(cli.main(['run', 'tiny']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=book, capture_output=True, text=True)
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("companion:")]
    assert done.returncode == 1 and ("did not start" in said or "Too many open files" in said), done.stderr
