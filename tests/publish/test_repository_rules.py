"""The repository as a whole: contents, public address, lint, links of its papers, size, and what importing it loads."""

import re
import subprocess
import sys

import pytest

import companion
from companion.publish import project
from companion.publish.notebooks import chapters

ROOT = project.project_root(__file__ + "/..")
NAMES = chapters.chapter_names(ROOT)


def test_every_page_of_the_contents_exists_and_every_chapter_is_listed():
    pages = project.toc_pages(ROOT)
    for page in pages:
        path = ROOT / page
        assert path.is_file() or path.with_suffix(".md").is_file(), page
    pairs = {path.stem for path in (ROOT / "book").glob("*.ipynb")}
    assert pairs == set(NAMES)


def test_the_public_address_stands_in_one_place_and_the_rest_derives_from_it():
    address = project.repository(ROOT)
    assert re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", address)
    assert f'"{address}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    own = address.removeprefix("https://github.com/")
    for path in [ROOT / "README.md", *(ROOT / "book").glob("*.md")]:
        text = path.read_text(encoding="utf-8")
        assert all(link == own for link in re.findall(r"colab\.research\.google\.com/github/([\w.-]+/[\w.-]+)", text))
        assert all(link == own for link in re.findall(r"git clone https://github\.com/([\w.-]+/[\w.-]+)", text))
    for path in [ROOT / "README.md", *(ROOT / "book").glob("*.md")]:
        for other in re.findall(r"git\+(https://github\.com/[\w.-]+/[\w-]+)", path.read_text(encoding="utf-8")):
            assert other == address, path.name


@pytest.mark.parametrize("words", [["check"], ["format", "--check"]])
def test_the_code_is_clean_and_formatted(words):
    places = [
        place for place in ("src", "tests", "benchmarks", "tools", "dodo.py", "conftest.py") if (ROOT / place).exists()
    ]
    done = subprocess.run([sys.executable, "-m", "ruff", *words, *places], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_local_link_of_the_papers_leads_somewhere(name):
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / name).read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).is_file()] == []
    assert links or name != "README.md"


def test_no_file_holds_both_sides_of_a_merge():
    marks = ("<" * 7 + " ", ">" * 7 + " ")
    files = [ROOT / name for name in project.tracked_files(ROOT) or [] if name]
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in files if path.is_file()}
    assert [
        path.name for path, text in texts.items() if any(line.startswith(marks) for line in text.splitlines())
    ] == []


def test_the_repository_stays_small():
    files = [ROOT / name for name in project.tracked_files(ROOT) or [] if name]
    sizes = {path.name: path.stat().st_size for path in files if path.is_file()}
    assert not {name: size for name, size in sizes.items() if size > 1_500_000}
    assert sum(sizes.values()) < 18_000_000  # 21 chapters with their outputs and records, 0.75 MB each, and the rest


def test_importing_the_package_loads_neither_torch_nor_the_book_tools():
    code = "import companion, sys; print([m for m in ('torch', 'papermill', 'jupytext', 'matplotlib') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_every_public_name_exists():
    for name in companion.__all__:
        assert getattr(companion, name) is not None


def test_the_repository_holds_nothing_that_a_tool_makes():
    names = [name for name in project.tracked_files(ROOT) or [] if name]
    made = {"build", "dist", "_build", ".venv", "__pycache__", ".ipynb_checkpoints"}
    assert [name for name in names if made & set(name.split("/"))] == []
