"""The book's folder: reading and writing files, the contents, addresses, and what is found on the machine."""

import os
import shutil
import subprocess
import threading

import pytest

from companion.publish import UserError, project

# -------------------------------------------------------------------------------------------------------- reading


@pytest.fixture
def book(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/index\n")
    (tmp_path / "_config.yml").write_text("repository:\n  url: https://github.com/OWNER/companion\n")
    return tmp_path


def test_a_byte_order_mark_is_no_part_of_a_file(book):
    (book / "book" / "a.yml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert project.read_text(book / "book" / "a.yml") == "a: 1\n"
    assert project.read_yaml(book / "book" / "a.yml") == {"a": 1}
    (book / "_toc.yml").write_bytes(b"\xef\xbb\xbf" + (book / "_toc.yml").read_bytes())
    (book / "_config.yml").write_bytes(b"\xef\xbb\xbf" + (book / "_config.yml").read_bytes())
    assert project.toc_pages(book) == ["book/index"]
    assert project.repository(book) == "https://github.com/OWNER/companion"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "book/a.yml cannot be read .No such file"),
        (b"caf\xe9", "book/a.yml is not UTF-8"),
        (b"a: 1\n<<<<<<< HEAD\nb: 2\n", "book/a.yml, line 2, holds a conflict marker of git"),
        (b"a: 1\n>>>>>>> other\n", "book/a.yml, line 2, holds a conflict marker of git"),
        (b"a: b: c", "book/a.yml cannot be read: .*line 1"),
        (b"a: [1", "book/a.yml cannot be read: .*line"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_sentence_with_its_name(book, content, words):
    path = book / "book" / "a.yml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=words):
        project.read_yaml(path)


@pytest.mark.parametrize("text", ["- 1\n", "repository: 7\n", "repository:\n  url:\n", "title: x\n", ""])
def test_settings_without_the_repositorys_address_are_a_sentence(book, text):
    (book / "_config.yml").write_text(text)
    with pytest.raises(UserError, match=r"_config.yml"):
        project.repository(book)


# -------------------------------------------------------------------------------------------------------- writing


def test_a_file_is_written_with_plain_line_ends_and_leaves_nothing_beside_it(tmp_path):
    project.write_whole(tmp_path / "a.txt", "é\nb\n")
    project.write_whole(tmp_path / "b.bin", b"\x00\r\n")
    assert (tmp_path / "a.txt").read_bytes() == "é\nb\n".encode()
    assert (tmp_path / "b.bin").read_bytes() == b"\x00\r\n"
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", "b.bin"}


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def refuse(*_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError):
        project.write_whole(path, "new")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_two_that_write_one_file_at_once_leave_one_of_the_two_whole(tmp_path):
    texts, problems = ["a" * 100_000, "b" * 100_000], []

    def write(text):
        try:
            for _ in range(50):
                project.write_whole(tmp_path / "x", text)
        except OSError as error:
            problems.append(error)

    threads = [threading.Thread(target=write, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == [] and (tmp_path / "x").read_text() in texts
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_several_files_are_written_all_or_none(tmp_path):
    old, new, below = tmp_path / "old", tmp_path / "new", tmp_path / "folder" / "deep" / "x"
    old.write_text("before")
    project.write_together({old: "after", new: "n", below: b"x"})
    assert (old.read_text(), new.read_text(), below.read_text()) == ("after", "n", "x")
    shutil.rmtree(tmp_path / "folder")
    new.unlink()
    with pytest.raises(OSError):
        project.write_together({old: "third", new: "n", below: "x", old / "no folder": "y"})
    assert old.read_text() == "after" and [path.name for path in tmp_path.iterdir()] == ["old"]


# ----------------------------------------------------------------------------------------------------- the contents


def contents(book, text):
    (book / "_toc.yml").write_text("format: jb-book\nroot: book/index\n" + text, encoding="utf-8")
    return project.contents(book)


def test_parts_sections_and_addresses_are_understood(book):
    text = """
parts:
- caption: One
  chapters:
  - file: book/a.ipynb
    sections:
    - file: book/b
    - url: https://example.org
      title: elsewhere
- chapters:
  - url: https://example.org
  - file: book/c
"""
    assert contents(book, text) == ("book/index", [("One", ["book/a.ipynb", "book/b"]), ("", ["book/c"])])
    assert project.toc_pages(book) == ["book/index", "book/a.ipynb", "book/b", "book/c"]


@pytest.mark.parametrize("entry", ["book/depth", "book/depth.md", "book/depth.ipynb"])
def test_a_chapter_is_one_with_and_without_its_ending_and_before_its_notebook_is_made(book, entry):
    (book / "book" / "depth.md").write_text(
        "---\njupytext:\n  formats: md:myst,ipynb\nkernelspec:\n  name: x\n---\n# D\n"
    )
    (book / "book" / "ledger.md").write_text("# Ledger\n\n---\n\nkernelspec: no\n")
    text = f"chapters:\n- file: {entry}\n- file: book/ledger\n"
    assert contents(book, text)[1] == [("", ["book/depth.ipynb", "book/ledger"])]
    (book / "book" / "depth.md").unlink()
    (book / "book" / "depth.ipynb").write_text("{}")
    assert contents(book, text)[1] == [("", ["book/depth.ipynb", "book/ledger"])]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("chapters:\n- glob: book/*\n", r"`glob: book/\*` does not say in which order"),
        ("chapters:\n- book/a\n", "the entry 'book/a' names no page"),
        ("chapters:\n- file: 7\n", "the entry {'file': 7} names no page"),
        ("chapters:\n- title: x\n", "names no page"),
        ("chapters:\n- file: book/a\n  sections:\n  - glob: x\n", "glob: x"),
        ("chapters: book/a\n", "`chapters:` has to be followed by a list"),
        ("parts: 7\n", "`parts:` has to be a list"),
        ("parts:\n- book/a\n", "`parts:` has to be a list"),
    ],
)
def test_an_entry_that_is_not_understood_is_named_with_its_file(book, text, words):
    with pytest.raises(UserError, match=f"_toc.yml.*{words}"):
        contents(book, text)


@pytest.mark.parametrize(
    ("text", "words"), [("root: a: b", "_toc.yml cannot be read"), ("- a", "root: book/index"), ("", "root")]
)
def test_a_broken_table_of_contents_is_one_sentence(book, text, words):
    (book / "_toc.yml").write_text(text)
    with pytest.raises(UserError, match=words):
        project.toc_pages(book)


# -------------------------------------------------------------------------------------------------------- addresses


@pytest.mark.parametrize("name", ["ana/deep-book", "ana-b/book.js", "A1/b_c", "ana/..book"])
def test_addresses_of_repositories_are_accepted_and_written_in_one_way(name):
    for form in ("", "/", ".git", ".git/"):
        given = f"https://github.com/{name}{form}"
        assert project.checked_repository(given) == f"https://github.com/{name}"


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/a/..",
        "https://github.com/a/.",
        "https://github.com/../b",
        "https://github.com/a/b/c",
        "https://github.com/a",
        "https://github.com//b",
        "https://github.com/-a/b",
        "https://github.com/a/.git",
        "http://github.com/a/b",
        "git@github.com:ana/book",
        "https://example.org/a/b",
        "https://github.com/a/b c",
        "",
    ],
)
def test_what_is_no_address_of_a_repository_is_refused(url):
    with pytest.raises(UserError, match=r"looks like https://github.com/OWNER/NAME"):
        project.checked_repository(url)


@pytest.mark.parametrize("address", ["https://a.b/../c", "ftp://a.b/", "https://a.b/c d/", "https://a.b/./c/"])
def test_what_is_no_address_of_a_site_is_refused(address):
    with pytest.raises(UserError, match="no address of a site"):
        project.checked_address(address)


def test_colab_opens_the_chapters_of_the_repository():
    start = "https://colab.research.google.com/github/ana/b/blob/main/book/"
    assert project.colab_address("https://github.com/ana/b") == start


# ------------------------------------------------------------------------------------------------------ the machine


def git(folder, *words):
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def test_the_files_of_git_are_those_that_it_tracks_or_would_add(book):
    assert project.tracked_files(book) is None, "outside git"
    git(book, "init")
    (book / ".gitignore").write_text("ignored\n")
    (book / "ignored").write_text("")
    assert project.tracked_files(book) == {".gitignore", "_toc.yml", "_config.yml"}


def test_in_a_folder_that_another_repository_ignores_git_is_not_asked(tmp_path):
    git(tmp_path, "init")
    (tmp_path / ".gitignore").write_text("unpacked/\n")
    (tmp_path / "unpacked").mkdir()
    (tmp_path / "unpacked" / "x").write_text("")
    assert project.tracked_files(tmp_path / "unpacked") is None


def test_a_repository_of_another_user_is_a_sentence_that_says_what_to_do(book, monkeypatch):
    git(book, "init")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # as git's own tests do it
    monkeypatch.setenv("HOME", str(book))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    with pytest.raises(UserError, match=r"belongs to another user.*safe\.directory"):
        project.tracked_files(book)


def test_chromium_is_the_one_that_is_named_or_one_that_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("CHROMIUM", "/opt/mine")
    assert project.chromium() == "/opt/mine"
    monkeypatch.delenv("CHROMIUM")
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/chrome" if name == "google-chrome" else None)
    assert project.chromium() == "/usr/bin/chrome"
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert project.chromium() is None
