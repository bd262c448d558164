"""What git says about the book's folder, where that is a repository: a copy that lies inside another one is no part of it."""

import subprocess
from pathlib import Path

from companion.publish import UserError


def ask(root, *words):
    """The answer of a git command in this folder, as text; None without git and where it refuses.

    Raises UserError where git does not trust the folder, for it belongs to another user.
    """
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, encoding="utf-8")
    except OSError:
        return None
    if "dubious ownership" in done.stderr:
        raise UserError(
            f"git does not read {root}, for it belongs to another user: make it yours, or tell git to trust it, by "
            f"`git config --global --add safe.directory {root}`."
        )
    return done.stdout if done.returncode == 0 else None


def is_repository(root):
    """Whether the folder is the top of a repository, and not something that was unpacked inside one."""
    top = ask(root, "rev-parse", "--show-toplevel")
    return top is not None and Path(top.rstrip("\n")).resolve() == Path(root).resolve()


def last_commit(root):
    """The present commit as "abcdef1, 2026-11-25"; None outside a repository and before its first commit."""
    line = ask(root, "log", "-1", "--format=%h, %cs") if is_repository(root) else None
    return line.strip() if line else None
