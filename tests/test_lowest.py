"""The oldest versions that pyproject.toml allows, as the job `oldest` of the workflow installs them."""

import runpy
import subprocess
import sys
import tomllib
from itertools import chain

import pytest
from books import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@pytest.fixture(scope="module")
def lowest():
    return runpy.run_path(str(ROOT / "tools" / "lowest.py"))["lowest"]


def project(*core, **extras):
    return {"dependencies": list(core), "optional-dependencies": extras}


def test_each_requirement_is_held_at_its_lower_bound(lowest):
    assert lowest(project("torch>=2.6,<3", book=["pypdf>=6"], test=["jupyter-book>=1.0.4.post1,<2", "pypdf>=6"])) == {
        "torch": "2.6",
        "pypdf": "6",
        "jupyter-book": "1.0.4.post1",
    }


@pytest.mark.parametrize("line", ["tqdm", "tqdm<5", "tqdm>=4,!=4.2", "tqdm==4"])
def test_a_requirement_without_a_plain_lower_bound_is_refused(lowest, line):
    with pytest.raises(SystemExit, match=r"pyproject.toml: 'tqdm.*' needs the form name>=version"):
        lowest(project(book=[line]))


def test_two_lower_bounds_of_one_package_are_refused(lowest):
    with pytest.raises(SystemExit, match="gives pypdf two lower bounds, 5 and 6"):
        lowest(project("pypdf>=5", book=["pypdf>=6"]))


def test_pip_gets_a_line_for_every_requirement_and_the_pinned_versions_are_no_older():
    done = subprocess.run([sys.executable, ROOT / "tools" / "lowest.py"], capture_output=True, text=True, check=True)
    oldest = [Requirement(line) for line in done.stdout.splitlines()]
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*declared["dependencies"], *chain(*declared["optional-dependencies"].values())]
    assert {o.name for o in oldest} == {Requirement(line).name for line in lines}
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pinned = dict(line.split("==") for line in text.splitlines() if "==" in line)
    pinned = {canonicalize_name(name): version for name, version in pinned.items()}
    for line in map(Requirement, lines):
        assert line.specifier.contains(pinned[canonicalize_name(line.name)]), line
