"""Gates the executed notebooks, runs Jupyter Book strictly, mends and gates the pages."""

import os
import shutil
import subprocess
import sys

from companion.publish import UserError, project
from companion.publish.carry import offline
from companion.publish.notebooks import chapters, checks
from companion.publish.pages import handout
from companion.publish.project import repository
from companion.publish.site import accessible, downloads, meta_tags, page_checks
from companion.publish.site.staging import stage_sources


def sources(root):
    """Every file the site is made from: configuration, pages, styles, executed notebooks, records."""
    executed = [executed_path(root, name) for name in chapters.chapter_names(root)]
    pages = [
        p
        for p in (root / "book").rglob("*")
        if p.is_file() and p.suffix in (".md", ".bib", ".css", ".js", ".svg", ".png", ".yml")
    ]
    code = list((project.PACKAGE / "publish").rglob("*.py"))
    records = list((project.PACKAGE / "evidence" / "records").glob("*.json"))
    ledger = list((project.PACKAGE / "evidence" / "claims").glob("*.yml"))
    return sorted([root / "_config.yml", root / "_toc.yml", *pages, *executed, *code, *records, *ledger])


def executed_path(root, chapter):
    return root / "_build" / "executed" / "quick" / f"{chapter}.ipynb"


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
    with everything that is wrong.
    """
    executed = {n: chapters.read_notebook(executed_path(root, n)) for n in chapters.chapter_names(root)}
    problems = []
    for name, notebook in executed.items():
        defaults = chapters.parameters(chapters.read_source(root, name))
        problems += checks.check_executed(notebook, name) + checks.check_parameters(notebook, name, defaults)
    refuse("The gate refuses the executed notebooks", problems)
    stage = root / "_build" / ("site" if solutions else "site-without-solutions")
    if not solutions:
        executed = {name: handout.without_solutions(notebook, name) for name, notebook in executed.items()}
    stage_sources(root, stage, executed)
    if not solutions:
        handout.close_doors(root, stage, executed)
    log = stage.with_suffix(".log")
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(stage)]
    with open(log, "w", encoding="utf-8") as file:
        environment = {**os.environ, "PYTHONWARNINGS": "ignore", "JUPYTER_PLATFORM_DIRS": "1", "PYTHONUTF8": "1"}
        done = subprocess.run([*command, "-W", "-n", "--keep-going"], stdout=file, stderr=file, env=environment)
    if done.returncode:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        wrong = [line for line in lines if "WARNING" in line or "ERROR" in line or "Exception" in line]
        refuse("Jupyter Book refuses the sources", wrong[:20] or lines[-5:])
    built = stage / "_build" / "html"
    downloads.restore_downloads(built, executed)
    if not solutions:
        handout.lead_to_handouts(built, repository(root), executed)
    downloads.publish_sources(root, built, executed, solutions)
    accessible.mend(built)
    meta_tags.finish(root, built)
    offline.add_search_texts(built)
    pages = project.toc_pages(root)
    refuse("The gate refuses the site", page_checks.check_site(built, pages, root, repository(root), launch=solutions))
    target = root / "_build" / ("html" if solutions else handout.SITE)
    shutil.rmtree(target, ignore_errors=True)
    os.replace(built, target)
    return target / "index.html"


def refuse(title, problems):
    if problems:
        raise UserError(f"{title}:\n" + "\n".join(f"  - {problem}" for problem in problems))
