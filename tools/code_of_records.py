"""Gives recorded runs that do not say which code made them the code of the commit that they name.

    python tools/code_of_records.py [chapter ...]

For runs that were recorded before records kept their code. Which modules such a run loaded is not known any more, so all
that a page could import at that commit count. `companion record CHAPTER` says afterwards what has changed since.
"""

import subprocess
import sys
from pathlib import Path

import jupytext

from companion.evidence import keeping, records
from companion.publish import UserError, project
from companion.publish.notebooks import recorded_code

PACKAGE = "src/companion/"
NOT_IMPORTED = ("build/", "publish/", "__main__.py")  # by no page


def git(root, *words):
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, encoding="utf-8")
    return done.stdout if done.returncode == 0 else None


def version_at(root, chapter, commit):
    """The version of the code at a commit; None where there is no such commit or page."""
    page, names = git(root, "show", f"{commit}:book/{chapter}.md"), git(root, "ls-tree", "-r", "--name-only", commit)
    if page is None or names is None:
        return None
    files = [name.removeprefix(PACKAGE) for name in names.splitlines() if name.startswith(PACKAGE)]
    files = [name for name in files if name.endswith(".py") and not name.startswith(NOT_IMPORTED)]
    modules = [name.removesuffix(".py").removesuffix("__init__").rstrip("/").replace("/", ".") for name in files]
    read = lambda path: git(root, "show", f"{commit}:{PACKAGE}{path}") if path in files else None  # noqa: E731
    return recorded_code.version_of(jupytext.reads(page, fmt="md:myst"), modules, read)


def give_code(root, chapter, folder=None):
    """Name the code of the chapter's runs that have none; returns (runs named, commits that say nothing)."""
    named, silent = 0, set()
    with keeping.edited(recorded_code.record_file(chapter, folder)) as content:
        versions = {}
        for row in content["runs"]:
            if "code" in row:
                continue
            if row["commit"] not in versions:
                versions[row["commit"]] = version_at(root, chapter, row["commit"])
            version = versions[row["commit"]]
            if version is None:
                silent.add(row["commit"])
                continue
            row["code"] = recorded_code.name_of(version)
            content["code"].setdefault(row["code"], version)
            named += 1
    return named, sorted(silent)


def main():
    root = project.project_root()
    for chapter in sys.argv[1:] or sorted(path.stem for path in Path(records.FOLDER).glob("*.json")):
        named, silent = give_code(root, chapter)
        print(f"{chapter}: {named} runs named" + (f"; nothing is known of {', '.join(silent)}" if silent else ""))


if __name__ == "__main__":
    try:
        main()
    except (UserError, ValueError) as error:
        sys.exit(f"code_of_records: {error}")
