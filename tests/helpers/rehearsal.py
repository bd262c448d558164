"""A machine such as Colab lends, for the tests that run every chapter on it.

The environment holds hard links to the distributions of this one, those that Colab has and what they require: made in
seconds without a download, and pip can do what it likes in it. A bare clone of the working tree stands in for the public
address through git's own configuration, so the cells run unchanged.
"""

import json
import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import nbclient
import nbformat
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from companion.publish import project
from companion.publish.install import torchvision_cpu
from companion.publish.notebooks import chapters, checks

ROOT = project.project_root(__file__ + "/..")
NAMES = chapters.chapter_names(ROOT)
COLAB_HAS = [
    *("ipykernel", "matplotlib", "numpy", "pandas", "pip", "pyyaml"),
    *("scikit-image", "scikit-learn", "scipy", "seaborn", "setuptools", "torch", "torchvision"),
]


def with_requirements(names):
    """{name: distribution} of these and all that they require, out of this environment."""
    found, todo = {}, list(names)
    while todo:
        name = canonicalize_name(todo.pop())
        if name not in found:
            found[name] = metadata.distribution(name)
            wanted = map(Requirement, found[name].requires or [])
            todo += [need.name for need in wanted if need.marker is None or need.marker.evaluate({"extra": ""})]
    return found


def link(source, target):
    """A second name for the same bytes; a copy where the file system cannot."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


class Colab:
    """A machine as Colab lends it: an environment, and git that finds a clone where the public address stands."""

    def __init__(self, folder):
        self.folder, self.clone = folder, folder / "clone.git"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
        self.python = folder / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        self.distributions = with_requirements(COLAB_HAS)
        places = Path(self.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
        for distribution in self.distributions.values():
            for file in distribution.files:
                if ".." not in file.parts and distribution.locate_file(file).is_file():
                    link(distribution.locate_file(file), places / file)
        hook = Path(metadata.distribution("torchvision").locate_file(torchvision_cpu.HOOK))
        if hook.is_file():  # Colab's torch and torchvision match; beside a CPU build, this makes them
            link(hook, places / hook.name)
        kernel = folder / "jupyter" / "kernels" / "colab"
        kernel.mkdir(parents=True)
        argv = [str(self.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Colab", "language": "python"}))
        self.make_clone()

    def make_clone(self):
        """A bare repository with one commit: the files that git tracks or would add."""
        tree = self.folder / "tree"
        for name in filter(None, project.tracked_files(ROOT)):
            if (ROOT / name).is_file():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, tree / name)
        who = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
        for words in (["init", "-q"], ["add", "-A", "-f"], [*who, "commit", "-q", "-m", "all"]):
            subprocess.run(["git", *words], cwd=tree, check=True, env=self.environment())
        subprocess.run(["git", "clone", "-q", "--bare", tree, self.clone], check=True, env=self.environment())

    def environment(self, clone=None):
        """What processes there see: nothing of this Python's; the public address leads to the clone."""
        ours = ("PYTHON", "VIRTUAL_ENV", "COMPANION_DATA", "JUPYTER", "GIT_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        address = f"url.{(clone or self.clone).as_uri()}.insteadOf"
        git = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": address, "GIT_CONFIG_VALUE_0": project.repository(ROOT)}
        return {**kept, **git, "PYTHONNOUSERSITE": "1", "GIT_TERMINAL_PROMPT": "0", "OMP_NUM_THREADS": "1"}

    def run(self, *words, **options):
        done = subprocess.run(
            [self.python, *words], check=True, capture_output=True, text=True, env=self.environment(), **options
        )
        return done.stdout

    def packages(self):
        """What `pip freeze` says, one line a package."""
        return set(self.run("-m", "pip", "freeze", "--all").splitlines())

    def reaches_the_index(self):
        """Whether pip can fetch what it builds packages with, as it can in Colab."""
        words = ("install", "--dry-run", "--no-deps", "--ignore-installed", "--retries", "0", "setuptools>=77")
        done = subprocess.run([self.python, "-m", "pip", *words], capture_output=True, env=self.environment())
        return done.returncode == 0

    def execute(self, notebook, clone=None):
        """Run a notebook's cells from top to bottom in an empty folder."""
        work = self.folder / "content"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        client = nbclient.NotebookClient(
            notebook,
            kernel_name="colab",
            timeout=1800,
            startup_timeout=300,
            resources={"metadata": {"path": str(work)}},
        )
        client.execute(env=self.environment(clone))
        return notebook


@pytest.fixture(scope="module", name="colab")
def lent_machine():
    """The machine, and what it held at first; beside the environment that it links to, so that links are possible."""
    if project.tracked_files(ROOT) is None or shutil.which("git") is None:
        pytest.skip("needs git, and a folder that git knows")
    folder = ROOT / "_build" / f"colab-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder / "jupyter"))
        try:
            machine = Colab(folder)
            if not os.environ.get("CI") and not machine.reaches_the_index():
                pytest.skip("pip cannot fetch what it builds the package with: no network")
            machine.at_first = machine.packages()
            yield machine
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def run_chapter(machine, name):
    """The committed notebook from top to bottom: no cell complains, and all that pip has then done is to add the package."""
    notebook = machine.execute(committed(name))
    chapters.code_cells(notebook)[0].outputs.clear()  # pip's own words
    assert checks.check_executed(notebook, name) == []
    now = machine.packages()
    added = [line.split("@")[:2] for line in now - machine.at_first]
    assert added == [["companion ", f" git+{project.repository(ROOT)}"]]
    assert machine.at_first - now == set()


def committed(name):
    return nbformat.read(chapters.pair_path(ROOT, name), as_version=4)
