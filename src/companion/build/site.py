"""Stages the sources and the executed notebooks, adds provenance and the ledger, and builds the strict site."""

import copy
import html
import os
import shutil
import subprocess
import sys
from collections import Counter
from importlib import metadata
from pathlib import Path

import companion
from companion import profiles
from companion.build import (
    UserError,
    accessible,
    bibliography,
    chapters,
    dist,
    execute,
    front,
    gate,
    handout,
    heads,
    ledger,
    reading,
)

MATHJAX_PARTS = ("tex-chtml.js", "output/chtml/fonts/woff-v2")


def sources(root):
    """Every file the site is made from: configuration, pages, styles, executed notebooks, records."""
    executed = [executed_path(root, name) for name in chapters.chapter_names(root)]
    pages = [
        p
        for p in (root / "book").rglob("*")
        if p.is_file() and p.suffix in (".md", ".bib", ".css", ".js", ".svg", ".png", ".yml")
    ]
    code = list((chapters.PACKAGE / "build").glob("*.py"))
    records = list((chapters.PACKAGE / "records").glob("*.json"))
    ledger = [chapters.PACKAGE / "claims.yml"]
    return sorted([root / "_config.yml", root / "_toc.yml", *pages, *executed, *code, *records, *ledger])


def executed_path(root, chapter):
    return root / "_build" / "executed" / "quick" / f"{chapter}.ipynb"


def repository(root):
    """The repository's public address, from its one place: `_config.yml`."""
    import yaml

    try:
        return yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"].rstrip("/")
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"_config.yml has to hold `repository: url:` and cannot be read ({reason}).") from None


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
    import nbformat

    executed = {n: nbformat.read(executed_path(root, n), as_version=4) for n in chapters.chapter_names(root)}
    problems = []
    for name, notebook in executed.items():
        defaults = chapters.parameters(chapters.read_source(root, name))
        problems += gate.check_executed(notebook, name) + gate.check_parameters(notebook, name, defaults)
    _refuse("The gate refuses the executed notebooks", problems)
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
        _refuse("Jupyter Book refuses the sources", wrong[:20] or lines[-5:])
    built = stage / "_build" / "html"
    handout.restore_downloads(built, executed)
    if not solutions:
        handout.lead_to_handouts(built, repository(root), executed)
    front.publish_sources(root, built, executed, solutions)
    accessible.mend(built)
    heads.finish(root, built)
    dist.add_search_texts(built)
    pages = chapters.toc_pages(root)
    _refuse("The gate refuses the site", gate.check_site(built, pages, root, repository(root), launch=solutions))
    target = root / "_build" / ("html" if solutions else handout.SITE)
    shutil.rmtree(target, ignore_errors=True)
    os.replace(built, target)
    return target / "index.html"


def _refuse(title, problems):
    if problems:
        raise UserError(f"{title}:\n" + "\n".join(f"  - {problem}" for problem in problems))


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
    (stage / "_static").mkdir()
    for style in (root / "book" / "static").glob("*"):
        shutil.copy(style, stage / "_static" / style.name)
    copy_mathjax(stage / "extra" / "mathjax")
    if (root / "book" / "scripts").is_dir():  # not in _static: Jupyter Book loads every script there on every page
        shutil.copytree(root / "book" / "scripts", stage / "extra" / "scripts")
    for name, notebook in executed.items():
        record = write_record_files(name, stage / "extra" / "records")
        notebook = copy.deepcopy(notebook)
        reading.prepare(root, repository(root), notebook, name, executed)
        add_provenance(notebook, name, record)
        notebook.metadata.pop("jupytext", None)
        chapters.write_notebook(notebook, book / f"{name}.ipynb")
    verdicts = collect_verdicts(executed.values())
    fill(book / "ledger.md", "ledger-table", ledger.ledger_html(verdicts, executed))
    fill(book / "index.md", "chapters-table", chapters_html(root, verdicts, executed))
    if (book / "references.md").exists():
        listed = bibliography.bibliography_html(book / "references.bib", executed)
        fill(book / "references.md", "bibliography", listed)
    front.fill_pages(book, verdicts, executed)
    heads.add_keywords(book, heads.keywords(root))


def copy_mathjax(target):
    """The part of MathJax that the pages need (1.6 MB), out of the installed package."""
    installed = metadata.distribution("sphinx-mathjax-offline")
    (start,) = (f for f in installed.files if str(f).endswith("mathjax/tex-chtml.js"))
    folder = Path(installed.locate_file(start)).parent
    for part in MATHJAX_PARTS:
        copy = shutil.copytree if (folder / part).is_dir() else shutil.copy
        (target / part).parent.mkdir(parents=True, exist_ok=True)
        copy(folder / part, target / part)


def write_record_files(chapter, folder):
    """Put the chapter's record beside the site as JSON and CSV; returns the `Record`."""
    from companion import records

    record = records.load_record(chapter)
    if record.runs:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(records.record_path(chapter), folder / f"{chapter}.json")
        (folder / f"{chapter}.csv").write_text(records.to_csv(record), encoding="utf-8", newline="\n")
    return record


def add_provenance(notebook, chapter, record):
    """Say under the title when, where and with what the page was computed, and which recorded runs it shows."""
    import nbformat

    cell = nbformat.v4.new_markdown_cell(front.provenance_html(notebook, chapter, record))
    title, _, rest = notebook.cells[0].source.partition("\n")
    notebook.cells[0].source = title
    extra = [cell] + ([nbformat.v4.new_markdown_cell(rest.strip())] if rest.strip() else [])
    notebook.cells[1:1] = extra


# ------------------------------------------------------------------------------------------------------- the ledger


def collect_verdicts(notebooks):
    """{claim id: Verdict} out of the outputs of these notebooks."""
    from companion.claims import Verdict

    rows = [row for nb in notebooks for payload in execute.payloads(nb, "companion_claims") for row in payload]
    return {row["claim_id"]: Verdict(**row) for row in rows}


def committed_verdicts(root):
    """{claim id: Verdict} out of the committed notebooks."""
    import nbformat

    paths = [chapters.pair_path(root, name) for name in chapters.chapter_names(root)]
    return collect_verdicts([nbformat.read(path, as_version=4) for path in paths if path.exists()])


def fill(page, marker, content):
    """Replace the comment line `% marker` of a staged page."""
    text = page.read_text(encoding="utf-8")
    line = f"% {marker}\n"
    if text.count(line) != 1:
        raise UserError(f"{page.name} needs exactly one line '% {marker}'.")
    page.write_text(text.replace(line, f"```{{raw}} html\n{content}\n```\n"), encoding="utf-8")


def _tally(counts):
    return ", ".join(f"{n} × {status}" for status, n in counts.most_common())


def chapters_html(root, verdicts, executed):
    """The chapters that exist: how many claims each judged, how many runs are recorded, how long its live and its full run take."""
    from companion import claims, records

    rows = []
    for name, notebook in executed.items():
        title = notebook.cells[0].source.partition("\n")[0].lstrip("# ")
        counts = Counter(verdicts[key].status for key in companion.load_claims(name) if key in verdicts)
        tally = _tally(counts)
        seconds, runs = notebook.metadata["companion"]["seconds"], len(records.load_record(name).runs)
        places = gate.launchers(repository(root)).items()
        links = " ".join(f'<a href="{prefix}book/{name}.ipynb">{place}</a>' for place, prefix in places)
        row = (f'<a href="{name}.html">{html.escape(title)}</a>', tally, str(runs or "–"), f"{seconds} s")
        rows.append((*row, full_run(root, name), links))
    headings = ("Chapter", "What became of the report's claims", "Recorded runs", "Live run", "Full run", "Open in")
    return claims.table_html(rows, headings)


def full_run(root, chapter):
    """How long the chapter trains with the values of its recorded runs, by their own seconds; a dash where none are recorded."""
    defaults = chapters.parameters(chapters.read_source(root, chapter))
    values = {**defaults, **execute.profile_parameters(chapter, defaults)}
    runs = profiles.repeated_runs(chapter, values)
    devices = " and ".join(sorted({run.provenance["device"].upper() for run in runs}))
    return f"{profiles.duration(runs)} on {devices}" if runs else "–"


def claims_rows(root):
    """Every ledger row with its verdict, ready for JSON."""
    verdicts = committed_verdicts(root)
    rows = []
    for claim in companion.load_claims().values():
        verdict = verdicts.get(claim.id)
        row = {name: getattr(claim, name) for name in ("id", "report", "chapter", "kind", "text", "reported")}
        row["status"] = verdict.status if verdict else "not yet tested"
        for name in ("measured", "interval", "mean_interval", "n", "evidence"):
            row[name] = getattr(verdict, name) if verdict else None
        rows.append(row)
    return rows
