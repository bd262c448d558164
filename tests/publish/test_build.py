"""Execution, refresh, the template, and the command line."""

import json
import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from tiny_book import GRID, TINY, make_tiny_book

from companion.publish import UserError, cli, project
from companion.publish.install import repository, torchvision_cpu
from companion.publish.notebooks import chapters, checks, execution, pairs, recording, template, verdicts

ROOT = project.project_root(__file__ + "/..")


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A book with one tiny chapter whose grid has two rates and two seeds; returns its root."""
    monkeypatch.setattr("companion.evidence.profiles.profile", lambda chapter: GRID)
    return make_tiny_book(tmp_path / "a book é")


# -------------------------------------------------------------------------------------------- parameters and jobs


def test_parameters_are_read_as_literals(book):
    assert chapters.parameters(chapters.read_source(book, "tiny")) == {"rate": 0.5, "seeds": [0], "wait": 0}


def test_a_parameter_that_is_no_literal_is_refused(book):
    (book / "book" / "tiny.md").write_text(TINY.replace("wait = 0", "wait = len(seeds)"))
    with pytest.raises(UserError, match="line 3"):
        chapters.parameters(chapters.read_source(book, "tiny"))
    (book / "book" / "tiny.md").write_text(TINY.replace("wait = 0", "wait = = 0"))
    with pytest.raises(UserError, match="no Python: line 3"):
        chapters.parameters(chapters.read_source(book, "tiny"))


def test_a_chapter_run_as_a_whole_takes_lists_where_it_has_lists_and_one_value_elsewhere(book):
    defaults = {"rate": 0.5, "seeds": [0], "wait": 0}
    assert execution.profile_parameters("tiny", defaults) == {"wait": 0, "rate": 0.25, "seeds": [0, 1]}


def test_an_unknown_chapter_is_named_with_the_known_ones(book):
    with pytest.raises(UserError, match="no chapter 'tine'; the chapters are tiny"):
        chapters.read_source(book, "tine")


# ------------------------------------------------------------------------------------------------------- execution


@pytest.mark.slow
def test_papermill_executes_a_chapter_and_leaves_no_half_file_on_failure(book):
    path = execution.execute_chapter(book, "tiny")
    notebook = nbformat.read(path, as_version=4)
    assert [cell.execution_count for cell in chapters.code_cells(notebook)] == [1, 2, 3, 4]
    assert notebook.metadata["companion"]["profile"] == "quick"
    before = path.read_bytes()
    (book / "book" / "tiny.md").write_text(TINY.replace("time.sleep(wait)", "raise ValueError('not today')"))
    with pytest.raises(UserError, match=r"tiny: cell \[2\] failed with ValueError: not today"):
        execution.execute_chapter(book, "tiny")
    assert path.read_bytes() == before


@pytest.mark.slow
def test_refresh_repeated_writes_the_same_bytes_and_keeps_cell_ids(book):
    pairs.refresh(book, "tiny")
    path = chapters.pair_path(book, "tiny")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0]["id"] = "kept-id"
    nbformat.write(notebook, path)
    pairs.refresh(book, "tiny")
    first = path.read_bytes()
    assert nbformat.read(path, as_version=4).cells[0].id == "kept-id"
    pairs.refresh(book, "tiny")
    assert path.read_bytes() == first
    assert not pairs.stale(book, "tiny")
    text = path.read_text()
    assert "seconds" not in json.dumps(execution.payloads(nbformat.reads(text, as_version=4), "companion_record"))


def test_the_commit_is_marked_when_sources_changed_but_not_when_records_did(tmp_path):
    def git(*words):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=tmp_path, check=True, capture_output=True
        )

    assert execution.current_commit(tmp_path / "nowhere") == "unknown"
    (tmp_path / "src" / "companion" / "evidence" / "records").mkdir(parents=True)
    (tmp_path / "src" / "companion" / "x.py").write_text("1")
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    clean = execution.current_commit(tmp_path)
    assert len(clean) == 10
    (tmp_path / "src" / "companion" / "evidence" / "records" / "dropout.json").write_text("{}")
    assert execution.current_commit(tmp_path) == clean
    (tmp_path / "src" / "companion" / "x.py").write_text("2")
    assert execution.current_commit(tmp_path) == clean + "+"


# ------------------------------------------------------------------------------------- new chapters, the address


@pytest.mark.slow
def test_a_new_chapter_from_the_template_passes_refresh_and_gate(book):
    path = template.new_chapter(book, "gap-head")
    assert "book/gap-head.ipynb" in (book / "_toc.yml").read_text()
    pairs.refresh(book, "gap-head")
    assert not pairs.stale(book, "gap-head")
    executed = nbformat.read(execution.execute_chapter(book, "gap-head"), as_version=4)
    pass

    assert checks.check_executed(executed, "gap-head") == []
    assert path.name == "gap-head.md"


@pytest.mark.parametrize(
    ("name", "words"), [("GAP head", "no chapter name"), ("tiny", "exists already"), ("soup", "no row")]
)
def test_a_chapter_that_cannot_be_made_is_refused(book, name, words):
    before = (book / "_toc.yml").read_text()
    with pytest.raises(UserError, match=words):
        template.new_chapter(book, name)
    assert (book / "_toc.yml").read_text() == before


@pytest.mark.slow
def test_the_public_address_is_rewritten_wherever_it_stands_and_outputs_stay_fresh(book):
    text = TINY + "\n[Colab](https://colab.research.google.com/github/OWNER/companion/blob/main/book/tiny.ipynb)\n"
    cell = "```{code-cell} ipython3\nurl = 'git+https://github.com/OWNER/companion'\n```\n"
    (book / "book" / "tiny.md").write_text(text + "\n" + cell)
    (book / "README.md").write_text(
        "see https://github.com/OWNER/companion-data and https://github.com/OWNER/companion."
    )
    pairs.refresh(book, "tiny")
    changed = repository.set_repository(book, "https://github.com/ana/deep-book.git")
    assert {str(path) for path in changed} == {
        "_config.yml",
        "README.md",
        "book/tiny.md",
        "book/tiny.ipynb".replace("/", os.sep),
    }
    assert project.repository(book) == "https://github.com/ana/deep-book"
    source = (book / "book" / "tiny.md").read_text()
    assert "git+https://github.com/ana/deep-book'" in source and "google.com/github/ana/deep-book/blob" in source
    assert "OWNER/companion-data" in (book / "README.md").read_text()
    assert not pairs.stale(book, "tiny")


def test_a_wrong_address_is_refused(book):
    with pytest.raises(UserError, match="looks like"):
        repository.set_repository(book, "git@github.com:ana/book")


# ------------------------------------------------------------------------------------------------ the command line


def run_cli(*words, cwd=ROOT, **environment):
    command = [sys.executable, "-m", "companion", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env={**os.environ, **environment})


def test_claims_as_json_has_every_row_with_its_status():
    rows = json.loads(run_cli("claims", "--json").stdout)
    assert len(rows) == len(verdicts.claims_rows(ROOT))
    by_id = {row["id"]: row for row in rows}
    assert by_id["A-vgg-total"]["status"] == "differs" and by_id["A-vgg-total"]["measured"] > 138_000_000
    metric = by_id["A-drop50-acc-val"]
    assert metric["n"] == 5 and metric["interval"][0] < metric["measured"] < metric["interval"][1]
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


def test_a_broken_table_of_contents_is_one_sentence(book):
    (book / "_toc.yml").write_text("root: a: b")
    with pytest.raises(UserError, match="cannot be read as a table of contents"):
        project.toc_pages(book)


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
    pass

    monkeypatch.setattr("companion.data.cifar.CIFAR10_URLS", ["http://127.0.0.1:9/cifar-10-python.tar.gz"])
    monkeypatch.setenv("COMPANION_DATA", str(tmp_path))
    with pytest.raises(UserError, match=r"cifar-10-python.tar.gz could not be downloaded .* by hand"):
        recording.record_chapter(ROOT, "dropout", folder=tmp_path)
    assert cli.main(["data", "cifar10"]) == 1


def test_every_command_explains_itself():
    for command in ("build", "handout", "run", "record", "refresh", "check", "claims", "data", "new", "set-repository"):
        with pytest.raises(SystemExit) as stop:
            cli.main([command, "--help"])
        assert stop.value.code == 0


# -------------------------------------------------------------------------------------- installation and torchvision


def load_bootstrap():
    import importlib.util

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
    import ast

    ast.parse(
        (ROOT / "tools" / "bootstrap.py").read_text(encoding="utf-8").replace("[*pip, ", "["), feature_version=(3, 4)
    )


def test_torchvision_works_with_its_compiled_operators():
    pass

    assert torchvision_cpu.healthy()


def test_the_torchvision_repair_does_nothing_where_torchvision_is_healthy(monkeypatch, capsys):
    pass

    monkeypatch.setattr("companion.publish.install.torchvision_cpu.healthy", lambda: True)
    monkeypatch.setattr(
        "companion.publish.install.torchvision_cpu.repair", lambda folder: pytest.fail("must not repair")
    )
    assert torchvision_cpu.main() == 0 and "nothing to repair" in capsys.readouterr().out


def test_a_repair_that_fails_takes_its_hook_back_and_says_what_to_do(monkeypatch, capsys, tmp_path):
    pass

    monkeypatch.setattr("companion.publish.install.torchvision_cpu.healthy", lambda: False)
    monkeypatch.setattr(torchvision_cpu.sys, "platform", "linux")
    monkeypatch.setattr(torchvision_cpu.shutil, "which", lambda name: name)
    monkeypatch.setattr(
        torchvision_cpu, "repair", lambda folder: (tmp_path / torchvision_cpu.HOOK).write_text("import x")
    )
    monkeypatch.setattr(torchvision_cpu.sysconfig, "get_paths", lambda: {"purelib": str(tmp_path)})
    assert torchvision_cpu.main() == 1
    assert not (tmp_path / torchvision_cpu.HOOK).exists()
    assert "Get started" in capsys.readouterr().err


def test_a_cuda_build_is_never_repaired_and_never_meets_the_stand_ins(monkeypatch, capsys, tmp_path):
    pass

    cuda = torchvision_cpu.cuda_library(tmp_path)
    cuda.parent.mkdir(parents=True)
    monkeypatch.setattr(
        "companion.publish.install.torchvision_cpu.wanted_symbols", lambda folder: {"libnothing.so": set()}
    )
    monkeypatch.setattr("companion.publish.install.torchvision_cpu.build_stub", lambda path, symbols: None)
    torchvision_cpu.repair(tmp_path)
    hook = (tmp_path / torchvision_cpu.HOOK).read_text()
    with pytest.raises(OSError, match="libnothing"):
        exec(hook)  # the stand-in was never built here: the hook tries to load it
    cuda.touch()
    exec(hook)  # now a CUDA build is there, and the hook leaves it alone
    monkeypatch.setattr("companion.publish.install.torchvision_cpu.healthy", lambda: False)
    monkeypatch.setattr(torchvision_cpu.sysconfig, "get_paths", lambda: {"purelib": str(tmp_path)})
    monkeypatch.setattr(
        "companion.publish.install.torchvision_cpu.repair", lambda folder: pytest.fail("must not repair")
    )
    assert torchvision_cpu.main() == 1 and "Get started" in capsys.readouterr().err


@pytest.mark.skipif(not (sys.platform == "linux" and shutil.which("gcc")), reason="needs gcc on Linux")
def test_a_stand_in_library_has_the_functions_it_is_asked_for(tmp_path):
    import ctypes

    pass

    torchvision_cpu.build_stub(tmp_path / "libcudart.so.13", {"cudaFree", "cudaMalloc"})
    library = ctypes.CDLL(str(tmp_path / "libcudart.so.13"))
    assert library.cudaFree and library.cudaMalloc
    with pytest.raises(AttributeError):
        _ = library.cudaNothing
