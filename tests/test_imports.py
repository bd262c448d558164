"""What the code imports: only what lies below it, only what pyproject.toml names, and no test another test."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib import metadata

import pytest
from books import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from companion.publish.project import PACKAGE

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def imported(paths):
    """{top-level module: the files that import it, anywhere in them} of these files."""
    found = {}
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                names = [node.module] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
            for name in names:
                found.setdefault(name.partition(".")[0], set()).add(path.relative_to(ROOT).as_posix())
    return found


# --------------------------------------------------------------------------------------------------- three rooms


def lint(source):
    """(exit code, what is said) of import-linter with the contracts of pyproject.toml over the package in that folder."""
    code = "import sys; sys.path.insert(0, sys.argv.pop()); from importlinter.cli import lint_imports_command as run; run()"
    words = [sys.executable, "-c", code, "--config", ROOT / "pyproject.toml", "--no-cache", source]
    done = subprocess.run(words, cwd=source, capture_output=True, encoding="utf-8")
    return done.returncode, done.stdout + done.stderr


def test_imports_lead_downwards_only():
    code, said = lint(PACKAGE.parent)
    assert code == 0, said[said.find("Broken contracts") :]
    assert "0 broken" in said


WRONG = {  # a line that is added to a module: what import-linter then says
    (
        "training/engine.py",
        "from companion.publish import project",
    ): "companion.training.engine -> companion.publish.project",
    (
        "evidence/records.py",
        "def f():\n    import companion.publish.site.links",
    ): "companion.evidence.records -> companion.publish",
    ("counting.py", "from companion.evidence import records"): "companion.counting -> companion.evidence.records",
    ("plotting.py", "from companion import counting"): "companion.plotting -> companion.counting",
    ("data/ages.py", "from companion.models import images"): "companion.data.ages -> companion.models.images",
    ("training/batches.py", "from companion.data import mnist"): "companion.training.batches -> companion.data.mnist",
    ("catalogue.py", "import companion.data.splits"): "companion.catalogue -> companion.data.splits",
    ("new_room.py", ""): "companion.new_room",
}


def test_each_import_that_leads_upwards_is_named_and_so_is_a_module_without_a_place(tmp_path):
    for path in PACKAGE.rglob("*.py"):
        target = tmp_path / path.relative_to(PACKAGE.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    for module, line in WRONG:
        with open(tmp_path / "companion" / module, "a", encoding="utf-8") as file:
            file.write(f"\n\n{line}\n")
    code, said = lint(tmp_path)
    assert code == 1 and [words for words in WRONG.values() if words not in said] == [], said


# ------------------------------------------------------------------------------------------------- requirements

PLACES = {  # what may be imported there: the package's own requirements, and these extras
    "what students import": ([p for p in PACKAGE.rglob("*.py") if "publish" not in p.parts], ()),
    "publishing": ([*(PACKAGE / "publish").rglob("*.py"), ROOT / "dodo.py"], ("book", "dist")),
    "tests and tools": (
        [ROOT / "conftest.py", *(p for room in ("tests", "tools") for p in (ROOT / room).rglob("*.py"))],
        ("book", "dist", "test"),
    ),
}
ASKED_FOR = {"distributed"}  # only with --scheduler, which says how to install it
HELPERS = {path.stem for path in (ROOT / "tests" / "helpers").glob("*.py")}
BENCHMARKS = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}


def named(lines):
    return {canonicalize_name(Requirement(line).name) for line in lines}


distributions = cache(metadata.packages_distributions)


def undeclared(modules, declared):
    """Those of the modules that none of the declared distributions brings."""
    brings = distributions()
    foreign = set(modules) - sys.stdlib_module_names - {"companion"}
    return {m for m in foreign if not declared & set(map(canonicalize_name, brings.get(m, [])))}


@pytest.mark.parametrize("place", PLACES)
def test_every_package_that_is_imported_is_named_in_pyproject(place):
    paths, extras = PLACES[place]
    declared = named([*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])])
    modules = imported(paths)
    own = HELPERS | BENCHMARKS if "test" in extras else ASKED_FOR
    missing = undeclared(set(modules) - own, declared)
    assert len(modules) > 10 and {module: modules[module] for module in missing} == {}


def test_every_package_that_the_benchmarks_import_is_named():
    lines = (ROOT / "benchmarks" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    declared = named([line.partition("#")[0] for line in lines if line.partition("#")[0].strip()])
    installed = named([*PROJECT["dependencies"], *EXTRAS["test"]])
    modules = set(imported((ROOT / "benchmarks").glob("*.py"))) - BENCHMARKS
    assert undeclared(modules, installed) - declared == set()


def test_a_package_that_nobody_names_is_found():
    assert undeclared({"json", "companion", "yaml", "numpy"}, {"numpy"}) == {"yaml"}


# ------------------------------------------------------------------------------------------------------- tests


def test_no_test_imports_another_test():
    modules = imported((ROOT / "tests").rglob("*.py"))
    assert {module: files for module, files in modules.items() if re.match("test_|conftest", module)} == {}
