"""tools/bootstrap.py, which makes the environment: what it refuses, explains and leaves alone."""

import ast
import importlib.util
import sys

import pytest

from companion.publish import project

ROOT = project.project_root(__file__ + "/..")


def load_bootstrap():
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "tools" / "bootstrap.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_python_outside_the_range_is_refused_in_one_sentence():
    bootstrap = load_bootstrap()
    assert bootstrap.problem_with_python((3, 11, 0)) is None and bootstrap.problem_with_python((3, 13, 1)) is None
    for version in ((3, 10, 4), (3, 14, 0), (2, 7, 18)):
        message = bootstrap.problem_with_python(version)
        assert "Python 3.11, 3.12 or 3.13" in message and message.count(". ") == 0


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (
            "WARNING: Retrying ... NewConnectionError('<...>: Failed to establish a new connection')",
            "connect to the network",
        ),
        (
            "ERROR: Could not find a version that satisfies the requirement torch (from versions: none)",
            "connect to the network",
        ),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: Package 'x' requires a different Python", "requires a different Python"),
    ],
)
def test_a_failed_installation_is_explained(output, words):
    assert words in load_bootstrap().explain(output)


def test_a_complete_environment_is_used_whichever_python_asks(monkeypatch, tmp_path):
    bootstrap = load_bootstrap()
    stamp = tmp_path / "stamp"
    stamp.write_text(bootstrap.fingerprint())
    monkeypatch.setattr(bootstrap, "STAMP", str(stamp))
    monkeypatch.setattr(bootstrap, "PYTHON", sys.executable)
    monkeypatch.setattr(bootstrap, "problem_with_python", lambda version: "too old")
    monkeypatch.setattr(bootstrap, "run", lambda *_: pytest.fail("nothing to install"))
    assert bootstrap.main() is None
    stamp.write_text("other requirements")
    assert not bootstrap.installed(bootstrap.fingerprint())


def test_a_python_that_cannot_make_environments_leaves_no_half_made_one(monkeypatch, tmp_path):
    bootstrap = load_bootstrap()
    monkeypatch.setattr(bootstrap, "VENV", str(tmp_path / "venv"))
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    assert "python3-venv" in bootstrap.no_environment("ensurepip is not available")
    assert not (tmp_path / "venv").exists()


def test_bootstrap_starts_under_old_pythons():
    ast.parse(
        (ROOT / "tools" / "bootstrap.py").read_text(encoding="utf-8").replace("[*pip, ", "["), feature_version=(3, 4)
    )
