"""The slow checks, part by part: a part that has passed is not run again until something in the repository changes.

    python tools/check_slow.py              # what has not passed yet, in this order; goes on after a failure, and says so at the end
    python tools/check_slow.py kills fuzz   # only the parts whose names begin so
    python tools/check_slow.py --list       # the parts, and which of them have passed
    python tools/check_slow.py --again      # all of them, passed or not

What has passed is remembered in `_build/check-slow/`, one file a part, with the state of the repository that it stands for: the
commit and whatever differs from it. So the whole can be stopped and called again. Outside a git repository nothing is remembered.
"""

import argparse
import hashlib
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PASSED = ROOT / "_build" / "check-slow"
Part = namedtuple("Part", "name command")
Part.__doc__ = (
    """A part of the slow checks: its name, and its command, a list of words that is run in the book's folder."""
)


def tests(*words):
    """The command that runs these tests, those that the default run leaves out among them."""
    return [sys.executable, "-m", "pytest", "-q", "-m", "thorough", "-p", "no:cacheprovider", *words]


# A new part is a line here. Its command has to end with 0 exactly when all is well.
KILLS = "tests/faults/test_kills.py"
PARTS = [
    *(
        Part(f"kills-{name}", tests("-s", KILLS, "-k", f"many-{name}"))
        for name in ("run", "refresh", "record", "build")
    ),
    Part("kills-data", tests("-s", KILLS, "-k", "download and many")),
]


def state(root):
    """What the repository holds, as a hash: the commit, what differs from it, and what git does not know; None outside git."""
    digest = hashlib.sha256()
    for words in (["rev-parse", "HEAD"], ["diff", "--binary", "HEAD"]):
        digest.update(ask_git(root, *words) or b"")
    new = ask_git(root, "ls-files", "-z", "--others", "--exclude-standard")
    if new is None:
        return None
    for path in sorted(root / name.decode() for name in new.split(b"\0") if name):
        digest.update(bytes(path) + (path.read_bytes() if path.is_file() else b""))
    return digest.hexdigest()


def ask_git(root, *words):
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def has_passed(part, now, folder):
    """Whether the part has passed in this state of the repository."""
    stamp = folder / part.name
    return now is not None and stamp.is_file() and stamp.read_text(encoding="utf-8") == now


def run(parts, root, folder, again=False):
    """Run the parts that have not passed; returns the names of those that failed. A part that is stopped has not passed."""
    failed, now = [], state(root)
    for part in parts:
        if not again and has_passed(part, now, folder):
            print(f"· {part.name}: has passed before", flush=True)
            continue
        print(f"… {part.name}", flush=True)
        start = time.perf_counter()
        code = subprocess.run(part.command, cwd=root).returncode
        print(f"{'✗' if code else '✓'} {part.name} ({time.perf_counter() - start:.0f} s)", flush=True)
        if code:
            failed.append(part.name)
            (folder / part.name).unlink(missing_ok=True)
        elif now is not None and state(root) == now:  # else nobody knows what it was that passed
            folder.mkdir(parents=True, exist_ok=True)
            (folder / part.name).write_text(now, encoding="utf-8")
    return failed


def chosen(names, parts):
    """The parts whose names begin with one of these words, or all; a word without a part is refused."""
    for name in names:
        if not any(part.name.startswith(name) for part in parts):
            known = ", ".join(part.name for part in parts)
            raise SystemExit(f"check_slow: there is no part {name!r}; the parts are {known or 'none'}.")
    return [part for part in parts if not names or part.name.startswith(tuple(names))]


def main(words=None, parts=None, root=ROOT, folder=PASSED):
    parser = argparse.ArgumentParser(prog="check_slow", description=__doc__.partition(":")[0])
    parser.add_argument("part", nargs="*", help="parts, by how their names begin (default: all)")
    parser.add_argument("--list", action="store_true", help="run nothing: say what the parts are and which have passed")
    parser.add_argument("--again", action="store_true", help="also what has passed before")
    options = parser.parse_args(words)
    some = chosen(options.part, PARTS if parts is None else parts)
    if options.list:
        now = state(root)
        for part in some:
            print(f"{'✓' if has_passed(part, now, folder) else ' '} {part.name}: {' '.join(part.command[1:])}")
        return 0
    failed = run(some, root, folder, options.again)
    if failed:
        print(f"check_slow: {len(failed)} of {len(some)} parts failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
