"""Kernels that do not depend on the settings of whoever starts them, and what the run of a notebook used of the package."""

import atexit
import json
import os
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from companion.publish import UserError

FIXED = {
    "OMP_NUM_THREADS": "1",  # one thread: repeatable, and jobs side by side do not disturb each other
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "TQDM_DISABLE": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "JUPYTER_PREFER_ENV_PATH": "1",
    "JUPYTER_NO_CONFIG": "1",
}
KEPT = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONUSERBASE",
    "PYTHONNOUSERSITE",
    "PYTHONPYCACHEPREFIX",
    "PYTHONDONTWRITEBYTECODE",
)
DROPPED = ("MPLBACKEND", "MPLSETUP", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "QT_API")
STARTUP = 300  # seconds that a kernel may take to start on a busy machine
LIMIT = 1800  # seconds that a cell of the quick profile may take; COMPANION_LIMIT says otherwise
USES = """\
import json, sys, time
from companion import uses
extra = getattr(sys.modules.get("companion.publish.notebooks.figures"), "spent", 0)
print(json.dumps({"cpu": time.process_time() - extra, "uses": uses.summary()}))"""


def kernel_environment(environment=None):
    """The variables for a kernel: the given ones (or this process's), without what a user's settings would change in outputs.

    Backends, warnings, start-up files, Jupyter's and IPython's own folders and Matplotlib's settings are those of the book.
    """
    given = dict(os.environ if environment is None else environment)
    dropped = {name for name in given if name.startswith("PYTHON") and name not in KEPT} | set(DROPPED)
    own = {name: value for name, value in given.items() if name not in dropped}
    empty = _empty_folder()
    own |= {"IPYTHONDIR": empty, "JUPYTER_CONFIG_DIR": empty, "JUPYTER_DATA_DIR": empty}
    if matplotlib := find_spec("matplotlib"):
        own["MATPLOTLIBRC"] = str(Path(matplotlib.origin).parent / "mpl-data" / "matplotlibrc")
    return own | FIXED


def cell_limit():
    """How many seconds one cell of the quick profile may take: the whole number in COMPANION_LIMIT, or `LIMIT`; None for 0.

    Raises UserError where it is none.
    """
    given = os.environ.get("COMPANION_LIMIT") or str(LIMIT)
    if not given.isdecimal():
        raise UserError(f"COMPANION_LIMIT is {given!r}: it is a whole number of seconds, or 0 for no limit.")
    return int(given) or None


@cache
def _empty_folder():
    """A folder without any settings, for as long as this process lives."""
    folder = tempfile.TemporaryDirectory(prefix="companion-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    return folder.name


def use_own_environment():
    """Give this process, and so every kernel that it starts, the variables of `kernel_environment`."""
    own = kernel_environment()
    for name in set(os.environ) - set(own):
        del os.environ[name]
    os.environ.update(own)


def ask_uses(notebook):
    """Append the cell whose output says what the run used; `take_uses` takes it off again."""
    import nbformat

    cell = nbformat.v4.new_code_cell(USES)
    cell["id"] = "companion-uses"
    notebook.cells.append(cell)
    return notebook


def take_uses(notebook):
    """Remove the cell that `ask_uses` appended; returns what it says: {"modules": [...], "records": [...], ...}.

    How long the kernel computed for the page, in seconds of one core, is put into the notebook's metadata as `companion_cpu`.
    """
    (output,) = notebook.cells.pop().outputs
    said = json.loads(output.text)
    notebook.metadata["companion_cpu"] = said["cpu"]
    return said["uses"]


def reason(error):
    """Why a cell failed, in words, for errors whose own message may be empty; `error` has ename and evalue."""
    if "died before replying" in str(error):
        return "its kernel did not start; what it said stands above (too few open files allowed, or too little memory?)"
    name, words = getattr(error, "ename", ""), str(getattr(error, "evalue", "")).strip()
    if name and words:
        return f"{name}: {words}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return name or (lines[-1] if lines else f"{type(error).__name__}, without a message")
