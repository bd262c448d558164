"""Lays out everything that Jupyter Book reads: sources, executed notebooks, what is computed from the ledger."""

import copy
import shutil
from importlib import metadata
from pathlib import Path

from companion.evidence import audit
from companion.publish import UserError
from companion.publish.notebooks import chapters
from companion.publish.notebooks.verdicts import collect_verdicts
from companion.publish.pages import (
    another,
    bibliography,
    contributed,
    errata,
    evidence,
    explore,
    keywords,
    learned,
    ledger,
    parts,
    reading,
)
from companion.publish.pages.front import chapters_html, front_html, verdicts_by_report_html
from companion.publish.pages.provenance import add_provenance
from companion.publish.project import repository
from companion.publish.site.downloads import write_record_files

MATHJAX_PARTS = ("tex-chtml.js", "output/chtml/fonts/woff-v2")


def stage_sources(root, stage, executed):
    """Lay out everything Jupyter Book reads below `stage`, which is made anew."""
    shutil.rmtree(stage, ignore_errors=True)
    book = stage / "book"
    pairs = [f"{name}.{suffix}" for name in executed for suffix in ("md", "ipynb")]
    shutil.copytree(
        root / "book", book, ignore=shutil.ignore_patterns(*pairs, "scripts", "questions", ".ipynb_checkpoints")
    )
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(root / name, stage / name)
    shutil.copytree(root / "book" / "static", stage / "_static")
    copy_mathjax(stage / "extra" / "mathjax")
    if (root / "book" / "scripts").is_dir():  # not in _static: Jupyter Book loads every script there on every page
        shutil.copytree(root / "book" / "scripts", stage / "extra" / "scripts")
    verdicts = collect_verdicts(executed.values())
    for name, notebook in executed.items():
        record = write_record_files(name, stage / "extra" / "records")
        notebook = copy.deepcopy(notebook)
        reading.prepare(root, repository(root), notebook, name, executed)
        another.add_box(notebook, name, record)
        explore.add_panel(notebook, name, record)
        if record.runs:
            explore.write_runs(record, stage / "extra" / "scripts" / explore.FOLDER, verdicts)
        add_provenance(notebook, name, record)
        notebook.metadata.pop("jupytext", None)
        chapters.write_notebook(notebook, book / f"{name}.ipynb")
    fill(book / "ledger.md", "ledger-table", ledger.ledger_html(verdicts, executed))
    fill(book / "index.md", "chapters-table", chapters_html(root, verdicts, executed))
    if (book / "references.md").exists():
        listed = bibliography.bibliography_html(book / "references.bib", executed)
        fill(book / "references.md", "bibliography", listed)
    fill_pages(root, book, verdicts, executed)
    for page, (marker, html) in parts.pieces(root, executed).items():
        if f"% {marker}\n" in (text := stage / f"{page}.md").read_text(encoding="utf-8"):
            fill(text, marker, html)
    keywords.add_keywords(book, keywords.keywords(root))


def copy_mathjax(target):
    """The part of MathJax that the pages need (1.6 MB), out of the installed package."""
    installed = metadata.distribution("sphinx-mathjax-offline")
    (start,) = (f for f in installed.files if str(f).endswith("mathjax/tex-chtml.js"))
    folder = Path(installed.locate_file(start)).parent
    for part in MATHJAX_PARTS:
        copy = shutil.copytree if (folder / part).is_dir() else shutil.copy
        (target / part).parent.mkdir(parents=True, exist_ok=True)
        copy(folder / part, target / part)


def fill(page, marker, content):
    """Replace the comment line `% marker` of a staged page."""
    text = page.read_text(encoding="utf-8")
    line = f"% {marker}\n"
    if text.count(line) != 1:
        raise UserError(f"{page.name} needs exactly one line '% {marker}'.")
    page.write_text(text.replace(line, f"```{{raw}} html\n{content}\n```\n"), encoding="utf-8")


def fill_pages(root, book, verdicts, written):
    """Put what is computed into the staged pages that ask for it by a line `% name`."""

    contents = {
        "front-page": lambda: front_html(verdicts),
        "verdicts-by-report": lambda: verdicts_by_report_html(verdicts),
        "learned-lead": lambda: learned.lead_html(root, verdicts),
        "learned-findings": lambda: learned.findings_html(root, verdicts),
        "learned-kinds": lambda: learned.kinds_html(verdicts),
        "learned-seeds": lambda: learned.seeds_html(verdicts),
        "audit-example": lambda: audit.audit(root / "book" / "static" / "homework" / "report.yml")._repr_html_(),
        "explore-runs": lambda: explore.explore_html(explore.recorded(root)),
        "contributed-runs": lambda: contributed.contributed_html(),
        "evidence-example": lambda: evidence.example_html(verdicts),
        "evidence-chance": lambda: evidence.chance_html(verdicts),
        "evidence-pairs": lambda: evidence.pairs_html(verdicts),
        "evidence-settle": lambda: evidence.settle_html(verdicts),
        "errata-counts": lambda: errata.wrong_counts_html(verdicts, written),
        "errata-statements": lambda: errata.findings_html(verdicts, written, ("order", "text")),
        "errata-metrics": lambda: errata.findings_html(verdicts, written, ("metric",)),
    }
    for page in sorted(book.glob("*.md")):
        for line in page.read_text(encoding="utf-8").splitlines():
            name = line.removeprefix("% ")
            if line.startswith("% ") and name in contents:
                fill(page, name, contents[name]())
