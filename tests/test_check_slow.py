"""The slow checks: what has passed is remembered, by the state of the repository, and nothing else is."""

import runpy
import subprocess
import sys

import pytest
from books import ROOT

slow = runpy.run_path(str(ROOT / "tools" / "check_slow.py"))
Part, main = slow["Part"], slow["main"]


@pytest.fixture
def repository(tmp_path):
    """A repository of one commit whose `_build` git does not see."""
    (tmp_path / ".gitignore").write_text("_build/\n")
    (tmp_path / "code.py").write_text("one = 1\n")
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@b.c"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    return tmp_path


@pytest.fixture
def check(repository):
    """Runs two parts, the first of which succeeds where there is no file `_build/fail`; returns the code and how often each ran."""
    (repository / "_build").mkdir()
    note = "import pathlib, sys; open('_build/{0}', 'a').write('x'); sys.exit(pathlib.Path('_build/fail-{0}').exists())"
    parts = [Part(name, [sys.executable, "-c", note.format(name)]) for name in ("first", "second")]

    def call(*words):
        code = main(list(words), parts, repository, repository / "_build" / "passed")
        ran = [repository / "_build" / part.name for part in parts]
        return code, *(len(path.read_text()) if path.exists() else 0 for path in ran)

    return call


def test_what_has_passed_is_not_run_again_and_what_has_failed_is(check, repository, capsys):
    (repository / "_build" / "fail-first").touch()
    assert check() == (1, 1, 1)  # the second ran although the first had failed
    assert "1 of 2 parts failed: first." in capsys.readouterr().err
    assert check() == (1, 2, 1)
    (repository / "_build" / "fail-first").unlink()
    assert check() == (0, 3, 1)
    assert check() == (0, 3, 1)
    assert check("--again") == (0, 4, 2)


@pytest.mark.parametrize("change", ["an edit", "a new file", "a commit"])
def test_whatever_changes_in_the_repository_makes_every_part_run_again(change, check, repository):
    assert check() == (0, 1, 1)
    if change == "a new file":
        (repository / "more.py").write_text("two = 2\n")
    else:
        (repository / "code.py").write_text("one = 11\n")
    if change == "a commit":
        words = ["git", "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qam", "second"]
        subprocess.run(words, cwd=repository, check=True)
    assert check() == (0, 2, 2)
    assert check() == (0, 2, 2)


def test_a_part_that_was_stopped_or_changed_the_repository_has_not_passed(repository):
    part = Part("part", [sys.executable, "-c", "open('code.py', 'a').write('more = 1\\n')"])
    folder = repository / "_build" / "passed"
    assert main([], [part], repository, folder) == 0
    assert not (folder / "part").exists()
    stopped = Part("part", [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"])
    assert main([], [stopped], repository, folder) == 1
    assert not (folder / "part").exists()


def test_outside_a_repository_nothing_is_remembered(check, repository):
    (repository / ".git").rename(repository / "_build" / "git")
    assert check() == (0, 1, 1)
    assert check() == (0, 2, 2)


def test_parts_are_chosen_by_how_their_names_begin_and_listed(check, capsys):
    assert check("sec") == (0, 0, 1)
    assert check("--list") == (0, 0, 1)
    first, second = capsys.readouterr().out.splitlines()[-2:]
    assert first.startswith("  first: ") and second.startswith("✓ second: ")
    with pytest.raises(SystemExit, match=r"there is no part 'third'; the parts are first, second\."):
        check("third")


def test_the_parts_have_names_of_their_own_that_a_file_can_have():
    names = [part.name for part in slow["PARTS"]]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalnum() for name in names)
