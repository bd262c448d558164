"""Git is asked only where the book's folder is itself a repository, and not where it lies in another one."""

import subprocess

import pytest

from companion.publish import git, project


def call(folder, *words):
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with one commit, which ignores what is unpacked into it."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    call(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("unpacked/\n")
    (tmp_path / "one.ipynb").touch()
    call(tmp_path, "add", "-A")
    call(tmp_path, "commit", "-qm", "one")
    return tmp_path


def test_a_repository_tells_its_files_and_its_commit(repository):
    (repository / "new.md").touch()
    assert project.tracked_files(repository) - {""} == {".gitignore", "one.ipynb", "new.md"}
    assert git.last_commit(repository)


def test_a_book_unpacked_inside_another_repository_is_no_part_of_it(repository):
    book = repository / "unpacked"
    book.mkdir()
    (book / "one.ipynb").touch()
    assert not git.is_repository(book)
    assert project.tracked_files(book) is None and git.last_commit(book) is None


def test_a_repository_without_a_commit_and_a_folder_without_git_have_none(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert project.tracked_files(tmp_path) is None and git.last_commit(tmp_path) is None
    call(tmp_path, "init", "-q")
    assert git.is_repository(tmp_path) and git.last_commit(tmp_path) is None
