"""What git says about the book's folder, where that is a repository: a copy that lies inside another one is no part of it."""

import subprocess
from pathlib import Path


def ask(root, *words):
    """The answer of a git command in this folder, as text; None without git and where it refuses."""
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, encoding="utf-8", check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


def is_repository(root):
    """Whether the folder is the top of a repository, and not something that was unpacked inside one."""
    top = ask(root, "rev-parse", "--show-toplevel")
    return top is not None and Path(top.rstrip("\n")).resolve() == Path(root).resolve()


def last_commit(root):
    """The present commit as "abcdef1, 2026-11-25"; None outside a repository and before its first commit."""
    line = ask(root, "log", "-1", "--format=%h, %cs") if is_repository(root) else None
    return line.strip() if line else None
