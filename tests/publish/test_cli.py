"""The command line: what it prints, how fast it starts, and that a user's mistake is one sentence."""

import json
import os
import subprocess
import sys

import pytest
from tiny_book import TINY, make_tiny_book

from companion import load_record
from companion.publish import UserError, cli, project
from companion.publish.notebooks import recording, verdicts

ROOT = project.project_root(__file__ + "/..")


def run_cli(*words, cwd=ROOT, **environment):
    command = [sys.executable, "-m", "companion", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env={**os.environ, **environment})


def test_claims_as_json_has_every_row_with_its_status():
    rows = json.loads(run_cli("claims", "--json").stdout)
    assert len(rows) == len(verdicts.claims_rows(ROOT))
    by_id = {row["id"]: row for row in rows}
    assert by_id["A-vgg-total"]["status"] == "differs" and by_id["A-vgg-total"]["measured"] > 138_000_000
    metric = by_id["A-drop50-acc-val"]
    runs = load_record("dropout").select(rate=0.5, hidden=32, learning_rate=1e-3)
    assert metric["n"] == len(runs) and metric["interval"][0] < metric["measured"] < metric["interval"][1]
    assert by_id["E-conv-acc"]["status"] == "not yet tested" or by_id["E-conv-acc"]["n"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "no-such-chapter"], "There is no chapter 'no-such-chapter'"),
        (["record", "vgg-parameters"], "has no grid in its profile"),
        (["data", "cifar11"], "no real data set named 'cifar11'"),
        (["claims", "--chapter", "soup"], "no row of a chapter 'soup'"),
        (["new", "Soup!"], "no chapter name"),
        (["set-repository", "nonsense"], "looks like"),
    ],
)
def test_a_users_mistake_is_one_sentence_without_traceback(words, message):
    done = run_cli(*words)
    assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr


def test_without_the_book_tools_the_command_says_what_to_install(monkeypatch):
    from companion import __main__

    monkeypatch.setitem(sys.modules, "papermill", None)  # as if it were not installed
    monkeypatch.setattr(sys, "argv", ["companion", "run"])
    monkeypatch.setattr("companion.publish.notebooks.execution.execute_chapter", lambda *_: __import__("papermill"))
    assert "pip install -r requirements.txt" in __main__.main()


def test_a_number_of_workers_below_one_is_refused():
    done = run_cli("record", "dropout", "--workers", "0")
    assert done.returncode == 2 and "above 0" in done.stderr and "Traceback" not in done.stderr


def test_outside_the_book_the_command_says_where_to_go(tmp_path):
    done = run_cli("claims", cwd=tmp_path)
    assert done.returncode == 1 and "_toc.yml" in done.stderr and "Traceback" not in done.stderr


def test_missing_data_without_network_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("companion.data.cifar.CIFAR10_URLS", ["http://127.0.0.1:9/cifar-10-python.tar.gz"])
    monkeypatch.setenv("COMPANION_DATA", str(tmp_path))
    with pytest.raises(UserError, match=r"cifar-10-python.tar.gz could not be downloaded .* by hand"):
        recording.record_chapter(ROOT, "dropout", folder=tmp_path)
    assert cli.main(["data", "cifar10"]) == 1


def commands():
    """The names of all commands, as `companion --help` lists them."""
    (listing,) = [action for action in cli.build_parser()._actions if hasattr(action, "choices") and action.choices]
    return sorted(listing.choices)


@pytest.mark.parametrize("command", commands())
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([command, "--help"])
    assert stop.value.code == 0 and len(capsys.readouterr().out) > 100


HEAVY = ("torch", "torchvision", "scipy", "sklearn", "pandas", "matplotlib", "PIL", "papermill", "jupytext", "nbclient")


@pytest.mark.parametrize("words", [["--help"], ["claims"], ["claims", "--json"], ["data"], ["new", "--help"]])
def test_what_only_prints_text_starts_without_the_heavy_libraries(words):
    code = (
        "import sys\nfrom companion.publish import cli\n"
        f"try:\n    cli.main({words!r})\nexcept SystemExit:\n    pass\n"
        f"print('heavy:', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    if "run `make refresh`" not in done.stderr:  # where a notebook is missing, that is said, and nothing is printed
        assert len(done.stdout.splitlines()) > 5, done.stderr
    assert done.stdout.splitlines()[-1] == "heavy: []"


@pytest.mark.skipif(os.name == "nt", reason="needs pipes of POSIX")
def test_a_reader_who_has_seen_enough_ends_the_command_quietly():
    reading, writing = os.pipe()
    os.close(reading)  # as `companion claims | head -1` does, when it has its line
    command = [sys.executable, "-m", "companion", "claims"]
    done = subprocess.run(command, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


# ------------------------------------------------------------------------------------------------------ damaged files


@pytest.fixture
def book(tmp_path, monkeypatch):
    root = make_tiny_book(tmp_path / "a book é")
    monkeypatch.chdir(root)
    return root


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (None, "book/tiny.ipynb is missing: run `make refresh`"),
        ("<<<<<<< HEAD\n", "book/tiny.ipynb is damaged"),
        ("{}", "book/tiny.ipynb is damaged"),
    ],
)
def test_verdicts_of_a_missing_or_damaged_notebook_are_a_sentence(book, capsys, damage, words):
    if damage:
        (book / "book" / "tiny.ipynb").write_text(damage)
    assert cli.main(["claims"]) == 1
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["refresh", "tiny"], ["handout"], ["run"], ["record", "tiny"], ["set-repository", "https://github.com/a/b"]],
)
@pytest.mark.parametrize("text", ["<<<<<<< HEAD\n" + TINY, TINY + ">>>>>>> other\n"])
def test_a_chapter_with_conflict_markers_is_a_sentence_before_anything_runs(book, capsys, words, text):
    (book / "book" / "tiny.md").write_text(text)
    assert cli.main(words) == 1
    said = capsys.readouterr().err
    assert "book/tiny.md, line " in said and "conflict marker" in said


def test_a_file_that_may_not_be_written_is_a_sentence(book, capsys, monkeypatch):
    def refuse(part, path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "replace", refuse)
    assert cli.main(["set-repository", "https://github.com/a/b"]) == 1
    said = capsys.readouterr().err
    assert "_config.yml cannot be read or written (Permission denied)" in said and "Traceback" not in said


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(24, "Too many open files"), "ulimit -n"),
        (OSError(28, "No space left on device", "x"), "make room on the disk"),
        (OSError(13, "Permission denied", "a/b"), "a/b cannot be read or written (Permission denied)"),
        (OSError(), "OSError"),
        (BlockingIOError(11, "Resource temporarily unavailable"), "Resource temporarily unavailable"),
    ],
)
def test_an_error_of_the_system_has_always_a_reason(error, words):
    assert words in cli.disk_problem(error)
