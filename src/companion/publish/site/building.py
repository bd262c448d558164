"""Gates the executed notebooks, runs Jupyter Book strictly, mends and gates the pages, and puts the site in its place."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager

from companion.publish import UserError, project
from companion.publish.notebooks import chapters, checks, execution, recorded_code
from companion.publish.pages import handout
from companion.publish.project import repository
from companion.publish.site import (
    accessible,
    badges,
    downloads,
    figures,
    fonts,
    glossary_cards,
    page_checks,
    results,
    search_texts,
)
from companion.publish.site.staging import stage_sources

NO_SOURCES = ("__pycache__", ".ipynb_checkpoints")


def sources(root):
    """Every file that decides about the site: settings, the book's folder, the executed notebooks, and the package.

    The package as a whole, with its records, profiles, ledger and templates: what is left out by hand is forgotten one day,
    and a site made once too often costs half a minute.
    """
    executed = [execution.executed_path(root, name) for name in chapters.chapter_names(root)]
    files = [path for folder in (root / "book", project.PACKAGE) for path in folder.rglob("*") if path.is_file()]
    files = [p for p in files if not set(NO_SOURCES) & set(p.parts) and p.suffix not in (".part", ".lock", ".pyc")]
    return sorted([root / "_config.yml", root / "_toc.yml", *files, *executed])


@contextmanager
def alone(root):
    """Let one command at a time build the book, for two would write one another's files: the second waits, and says so."""
    from filelock import FileLock, Timeout

    (root / "_build").mkdir(exist_ok=True)
    lock = FileLock(root / "_build" / "build.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(
            "Another command is building this book: this one goes on when that has ended.", file=sys.stderr, flush=True
        )
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def state_path(root):
    """Where doit keeps what it knows of the last site."""
    return root / "_build" / "doit.json"


def forget_damaged_state(root):
    """Remove doit's state where it cannot be read, as after a stop in the middle of writing it: the site is made anew then."""
    try:
        whole = isinstance(json.loads(state_path(root).read_text(encoding="utf-8")), dict)
    except FileNotFoundError:
        return
    except ValueError:
        whole = False
    if not whole:
        state_path(root).unlink()


def task(root):
    """`build_site` as an action of doit: a failure is a list of sentences, not a traceback."""
    from doit.exceptions import TaskFailed

    try:
        build_site(root)
    except UserError as error:
        return TaskFailed(str(error))


def build_site(root, solutions=True):
    """Gate the executed notebooks, stage everything, run Jupyter Book strictly, gate the pages; returns index.html's path.

    The finished site replaces `_build/html` whole, or, without solutions, `_build/html-without-solutions`. Raises UserError
    with everything that is wrong; the site of before stays.
    """
    try:
        executed = gated_notebooks(root)
        renderings = figures.take(executed.values())
        if not solutions:
            executed = {name: handout.without_solutions(notebook, name) for name, notebook in executed.items()}
        stage = root / "_build" / ("site" if solutions else "site-without-solutions")
        stage_sources(root, stage, executed)
        if not solutions:
            handout.close_doors(root, stage, executed)
        built = run_jupyter_book(stage)
        downloads.publish_sources(root, built, executed, solutions)
        if not solutions:
            downloads.lead_to_handouts(built, repository(root), executed)
        accessible.mend(built, results.mend, badges.marker(root))
        figures.show(built, renderings)
        glossary_cards.add_cards(root, built)
        fonts.finish(built)
        search_texts.add_search_texts(root, built)
        problems = page_checks.check_site(built, project.toc_pages(root), root, repository(root), launch=solutions)
        refuse("The gate refuses the site", problems)
        return replace_site(built, root / "_build" / ("html" if solutions else handout.SITE)) / "index.html"
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise UserError(f"The site cannot be built: {error.strerror or error}{where}.") from None


def gated_notebooks(root):
    """{chapter: its executed notebook}; raises UserError with everything that the gate finds in them."""
    executed, problems = {}, []
    for name in chapters.chapter_names(root):
        executed[name] = chapters.read_notebook(execution.executed_path(root, name))
        defaults = chapters.parameters(chapters.read_source(root, name))
        problems += checks.check_executed(executed[name], name)
        problems += checks.check_parameters(executed[name], name, defaults)
        problems += recorded_code.changed_code(root, name)
    refuse("The gate refuses the executed notebooks", problems)
    return executed


def run_jupyter_book(stage):
    """Build the pages below `stage`, every warning an error; returns their folder."""
    log = stage.with_suffix(".log")
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(stage)]
    with open(log, "w", encoding="utf-8") as file:
        environment = {**os.environ, "PYTHONWARNINGS": "ignore", "JUPYTER_PLATFORM_DIRS": "1", "PYTHONUTF8": "1"}
        done = subprocess.run([*command, "-W", "-n", "--keep-going"], stdout=file, stderr=file, env=environment)
    if done.returncode:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        wrong = [line for line in lines if "WARNING" in line or "ERROR" in line or "Exception" in line]
        refuse("Jupyter Book refuses the sources", wrong[:20] or lines[-5:])
    return stage / "_build" / "html"


def replace_site(built, target):
    """Put the folder `built` into the place of `target`; the old site is moved away first, and deleted when the new one is there.

    Raises UserError, and puts the old site back, where the new one cannot take its place.
    """
    old = target.with_name(target.name + ".old")
    try:
        if target.exists():
            if old.exists():  # left behind by a command that was stopped in the middle
                shutil.rmtree(old)
            os.replace(target, old)
        os.replace(built, target)
    except OSError as error:
        if old.exists() and not target.exists():
            os.replace(old, target)
        raise UserError(
            f"The new site cannot take the place of {target} ({error.strerror}): close what has a page of it open, such as a "
            "server or a window, see that you may write there, and build again. The old site is still there."
        ) from None
    shutil.rmtree(old, ignore_errors=True)
    return target


def refuse(title, problems):
    if problems:
        raise UserError(f"{title}:\n" + "\n".join(f"  - {problem}" for problem in problems))
