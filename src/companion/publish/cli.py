"""The command line: `companion build | handout | dist | run | record | refresh | check | claims | data | new | ...`."""

import argparse
import json
import os
import runpy
import subprocess
import sys
import time

from companion.catalogue import SETS
from companion.publish import UserError, disk_problem

REAL_SETS = {name: source.places for name, source in SETS.items() if source.places}


def main(arguments=None):
    """Run one command; returns the exit code: 0 done, 1 a problem said in a sentence, 130 stopped by Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")  # Windows pipes would refuse the check marks
    if os.environ.get("COMPANION_DATA"):  # jobs and kernels work in folders of their own, where another path is meant
        os.environ["COMPANION_DATA"] = os.path.abspath(os.path.expanduser(os.environ["COMPANION_DATA"]))
    parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        code = options.function(options) or 0
        sys.stdout.flush()
        return code
    except UserError as error:
        print(f"companion: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read the output has seen enough: `companion claims | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"companion: {disk_problem(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("companion: stopped.", file=sys.stderr)
        return 130


def positive(text):
    """The number of workers that an argument asks for."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def build_parser():
    parser = argparse.ArgumentParser(prog="companion", description="Build, check and extend the course companion.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(function, name, help):
        sub = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(function=function)
        return sub

    sub = command(build, "build", "execute the chapters that changed, gate them, and build the site")
    sub.add_argument("--workers", type=positive, help="chapters side by side (default: one per core)")
    sub.add_argument("--without-solutions", action="store_true", help="a site for courses, beside the usual one")
    sub = command(handout, "handout", "write notebooks without solutions, to hand out")
    sub.add_argument("chapter", nargs="*", help="chapters (default: all)")
    sub.add_argument("--folder", default="_build/handout", help="where to (default: _build/handout)")
    sub = command(run, "run", "execute chapters by papermill into _build/executed/<profile>/")
    sub.add_argument("chapter", nargs="*", help="chapters (default: all)")
    sub.add_argument("--profile", choices=["quick", "full"], default="quick", help="parameter values (default: quick)")
    sub = command(
        record, "record", "run the full profile of a chapter, one job per setting and seed, and keep the runs"
    )
    sub.add_argument("chapter", nargs="+", help="one or more chapters, or 'all' for every chapter with a grid")
    sub.add_argument("--workers", type=positive, help="jobs side by side (default: one per core)")
    sub.add_argument("--scheduler", metavar="ADDRESS", help="send the jobs to a dask.distributed scheduler instead")
    sub.add_argument("--device", help="auto (default), cuda, mps or cpu")
    sub.add_argument(
        "--accept",
        action="store_true",
        help="run nothing: sign that the changes of the code cannot alter the recorded runs",
    )
    sub.add_argument("--why", metavar="REASON", default="", help="with --accept: what changed, and why it is safe")
    sub.add_argument("--redo", action="store_true", help="run every job again, also those already recorded")
    sub.add_argument(
        "--folder", metavar="FOLDER", help="keep the runs in a folder of one's own, to give them to the book"
    )
    sub = command(audit, "audit", "judge a report of one's own: its claims and runs, from one file")
    sub.add_argument("file", nargs="?", help="a YAML file; --template writes an example")
    sub.add_argument(
        "--template", metavar="FILE", nargs="?", const="report.yml", help="write an example (default: report.yml)"
    )
    sub.add_argument("--folder", help="where the page and the notebook go (default: beside the file)")
    sub = command(merge, "merge", "take over runs that were recorded on another machine, apart from the book's own")
    sub.add_argument("file", nargs="+", help="what `companion record CHAPTER --folder FOLDER` wrote")
    sub = command(
        refresh, "refresh", "write the outputs of the committed notebooks that are stale, and README's list of chapters"
    )
    sub.add_argument("chapter", nargs="*", help="chapters (default: all that are stale)")
    sub.add_argument("--all", action="store_true", help="refresh every chapter, stale or not")
    command(check, "check", "the fast part of the tests: lint, package, pairs, gate")
    sub = command(claims, "claims", "show every row of the ledger with its verdict")
    sub.add_argument("--chapter", help="only the rows of this chapter")
    sub.add_argument("--json", action="store_true", help="as JSON: status, measured value, interval, n")
    sub = command(data, "data", "fetch and verify the real data sets, or say what is there")
    sub.add_argument("dataset", nargs="*", help=f"{', '.join(REAL_SETS)} (default: say which are there)")
    sub = command(dist, "dist", "make a zip of the built site and a PDF of the whole book, in _build/dist/")
    sub.add_argument("--without-solutions", action="store_true", help="of the site for courses")
    sub = command(new, "new", "make a chapter from the template")
    sub.add_argument("chapter", help="a chapter name of the ledger, such as gap-head")
    kinds = "what the page is about (default: what the plan of the book says)"
    sub.add_argument("--data", choices=["images", "table", "sequence", "text"], help=f"the data: {kinds}")
    tasks = ["classes", "binary", "regression", "reconstruction", "none"]
    sub.add_argument("--task", choices=tasks, help=f"the targets; none: nothing is trained, the page counts: {kinds}")
    sub = command(set_repository, "set-repository", "put the book's public address wherever it stands")
    sub.add_argument("url", help="https://github.com/OWNER/NAME")
    sub.add_argument(
        "--site", metavar="ADDRESS", help="where the site is published, such as https://owner.github.io/name/"
    )
    sub = command(links, "links", "ask every address outside the site that the book and its papers name")
    sub.add_argument("--timeout", type=float, default=20, help="seconds to wait for one answer (default: 20)")
    return parser


def build(options):
    """`companion build`: the recipe in dodo.py, with a progress bar."""
    from doit.cmd_base import ModuleTaskLoader
    from doit.doit_cmd import DoitMain

    from companion.publish import progress, project
    from companion.publish.notebooks import execution
    from companion.publish.site import building

    root = project.project_root()
    os.chdir(root)
    with building.alone(root):
        building.forget_damaged_state(root)
        recipe = runpy.run_path(str(root / "dodo.py"))
        recipe["DOIT_CONFIG"] |= {"reporter": progress.reporter(len(recipe["NAMES"])), "verbosity": 0}
        workers = options.workers or execution.default_workers()
        parallel = ["-n", str(workers)] if workers > 1 else []
        tasks = ["execute"] if options.without_solutions else []
        code = DoitMain(ModuleTaskLoader(recipe)).run(["run", "--continue", *parallel, *tasks])
        if code:
            raise UserError("the book was not built; what is wrong is said above.")
        if options.without_solutions:
            print(f"The book without solutions: {building.build_site(root, solutions=False)}")
            return
    print(f"The book: {root / '_build' / 'html' / 'index.html'}")


def handout(options):
    """`companion handout`: the chapters as notebooks without solutions and outputs; nothing is executed."""
    from pathlib import Path

    from companion.publish import project
    from companion.publish.notebooks import chapters
    from companion.publish.pages import handout as handing

    root = project.project_root()
    names = options.chapter or chapters.chapter_names(root)
    for path in handing.write_notebooks(root, names, root / Path(options.folder)):
        print(f"wrote {path}")


def run(options):
    """`companion run`: whole chapters, one after the other; one that fails does not keep the others from running."""
    from companion.publish import project
    from companion.publish.notebooks import chapters, execution

    root = project.project_root()
    names = options.chapter or chapters.chapter_names(root)
    for name in names:
        chapters.source_path(root, name)
    advance, problems = progress_bar(len(names), options.profile, "chapter"), []
    for name in names:
        problem = problem_of(execution.execute_chapter, root, name, options.profile)
        problems += [problem] * bool(problem)
        advance(name, problem)
    if problems:
        raise UserError("\n".join(problems))


def problem_of(call, *arguments):
    """What keeps a piece of work from being done, as a sentence; None where it is done."""
    try:
        call(*arguments)
    except UserError as error:
        return str(error)
    except OSError as error:
        return disk_problem(error)


def record(options):
    """`companion record`: jobs through papermill, each saved as it ends; a second call does only what is missing.

    One chapter that fails does not keep the others from being recorded. With --accept nothing runs: the changes of the code since the runs were made are signed, with a reason.
    """
    from companion.evidence.profiles import profile
    from companion.publish import project
    from companion.publish.notebooks import chapters, recording

    root = project.project_root()
    names = options.chapter
    if names == ["all"]:
        names = [name for name in chapters.chapter_names(root) if profile(name).get("grid")]
    if options.accept or options.why:
        return accept(root, names, options)
    for chapter in names:
        chapters.source_path(root, chapter)
    problems = []

    def one(chapter):
        before, now, errors = recording.record_chapter(
            root,
            chapter,
            workers=options.workers,
            scheduler=options.scheduler,
            redo=options.redo,
            overrides={"device": options.device} if options.device else None,
            folder=options.folder,
            progress=progress_bar,
        )
        print(f"{chapter}: {now} jobs recorded now, {before} were there before, {len(errors)} failed.")
        problems.extend(errors)

    for chapter in names:
        problem = problem_of(one, chapter)
        problems += [problem] * bool(problem)
    if problems:
        raise UserError("\n".join(problems))


def audit(options):
    """`companion audit`: verdicts on a report of one's own, as text, as a page and as a notebook."""
    from companion.publish.carry import audited

    if options.template:
        audited.write_template(options.template)
        print(f"{options.template} is an example with comments: change it, then `companion audit {options.template}`.")
        return
    if not options.file:
        raise UserError("Which report? companion audit report.yml; `companion audit --template` writes an example.")
    found, written = audited.write(options.file, options.folder)
    print(found.words)
    print(f"Written: {', '.join(map(str, written))}")


def merge(options):
    """`companion merge`: checked, and kept apart by machine and device; no verdict reads them."""
    from companion.publish import project
    from companion.publish.notebooks import contributions

    root = project.project_root()
    for file in options.file:
        for target, runs in contributions.merge(root, file):
            print(f"{file}: {runs} {'run' if runs == 1 else 'runs'} kept as {target.name}.")


def accept(root, names, options):
    """`companion record --accept`: one line for each chapter."""
    from companion.publish.notebooks import chapters, recording

    if not options.accept or options.redo:
        raise UserError("--why belongs to --accept, and --accept runs nothing: it does not go together with --redo.")
    for chapter in names:
        chapters.source_path(root, chapter)
    for chapter in names:
        signed = recording.accept(root, chapter, options.why)
        if signed is None:
            print(f"{chapter}: no runs are recorded, so there is nothing to sign.")
        elif not signed:
            print(f"{chapter}: the code is that of the recorded runs, or was signed before; nothing to sign.")
        else:
            print(f"{chapter}: {signed} recorded runs signed; the reason is kept in the record.")


def refresh(options):
    """`companion refresh`: execute stale chapters, side by side, and write their committed notebooks."""
    from concurrent.futures import ThreadPoolExecutor, as_completed

    from companion.publish import project
    from companion.publish.notebooks import chapters, execution, pairs

    root = project.project_root()
    names = options.chapter or chapters.chapter_names(root)
    for name in names:
        chapters.source_path(root, name)
    refresh_readme(root)
    if not options.chapter and not options.all:
        names = [name for name in names if pairs.stale(root, name)]
    if not names:
        print("Every notebook is up to date.")
        return
    advance, ran, problems = progress_bar(len(names), "refresh", "chapter"), 0, []
    with ThreadPoolExecutor(min(len(names), execution.default_workers())) as pool:
        futures = {pool.submit(pairs.refresh, root, name): name for name in reversed(names)}  # the long ones first
        for future in as_completed(futures):
            try:
                ran += future.result()
                advance(futures[future])
            except (UserError, OSError) as error:
                problems.append(str(error) if isinstance(error, UserError) else disk_problem(error))
                advance(futures[future], problems[-1])
    done = len(names) - len(problems)
    print(f"{done} notebooks refreshed, {ran} of them executed; in the others only words had changed.")
    if problems:
        raise UserError("\n".join(problems))


def refresh_readme(root):
    """The part of `companion refresh` that takes no time: README's list of chapters and its counts."""
    from companion.publish.pages import readme

    if readme.refresh(root):
        print("README.md: its list of chapters and its counts are up to date again.")


def check(options):
    """`companion check`: the tests that are neither slow nor in a browser; lint, pairs and gate are among them."""
    from companion.publish import project

    root = project.project_root()
    chosen = "not slow and not browser and not realdata and not thorough"
    if subprocess.run([sys.executable, "-m", "pytest", "-q", "-m", chosen, "tests"], cwd=root).returncode:
        raise UserError("the quick tests found something, see above.")


def claims(options):
    """`companion claims`: the ledger, with the verdicts that the committed notebooks carry."""
    from companion.evidence import digits
    from companion.evidence.statuses import SYMBOLS
    from companion.publish import project
    from companion.publish.notebooks import verdicts

    root = project.project_root()
    rows = verdicts.claims_rows(root)
    if options.chapter:
        rows = [row for row in rows if row["chapter"] == options.chapter]
        if not rows:
            raise UserError(f"The ledger has no row of a chapter {options.chapter!r}.")
    if options.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False, default=float))  # Decimals as numbers
        return
    for row in rows:
        reported = digits.number(row["reported"])
        print(f"{SYMBOLS[row['status']]} {row['id']:24} {row['status']:16} {row['text'][:70]} {reported}")


def data(options):
    """`companion data`: without names, what is there; with names, fetch and verify."""
    from companion.data import files, load_dataset

    for name in options.dataset:
        if name in SETS and name not in REAL_SETS:
            raise UserError(f"{name} is made on the spot: there is nothing to fetch; choose of {', '.join(REAL_SETS)}.")
        if name not in REAL_SETS:
            raise UserError(f"There is no real data set named {name!r}; choose of {', '.join(REAL_SETS)}.")
    try:
        for name in options.dataset:
            splits = load_dataset(name)
            counts = f"{len(splits.train):,} training and {len(splits.val):,} validation examples"
            print(f"{name}: {counts}, verified ({splits.source})")
        if not options.dataset:
            folder = files.data_folder()
            for name, places in REAL_SETS.items():
                there = files.first_there(folder, places)
                print(f"{name}: {f'there, not verified ({there})' if there else 'not there'}")
            print(f"The folder of the data is {folder}; `companion data NAME` fetches and verifies.")
    except files.DataError as error:
        raise UserError(str(error)) from error


def dist(options):
    """`companion dist`: the built site as a zip, the whole book as a PDF."""
    from companion.publish import project
    from companion.publish.carry import archive

    for path, what in archive.make(project.project_root(), solutions=not options.without_solutions):
        print(f"{path} ({path.stat().st_size / 1e6:.1f} MB): {what}", flush=True)


def new(options):
    """`companion new`: all files of a new chapter, and what is left to do."""
    from companion.publish import project
    from companion.publish.notebooks import template

    root, name = project.project_root(), options.chapter
    data, task = template.kinds(name, options.data, options.task)
    print(f"A new chapter {name} (data: {data}, task: {task}):")
    for path in template.new_chapter(root, name, data, task):
        print(f"  wrote {path.relative_to(root).as_posix()}")
    print("What is left to do:")
    for step in template.what_is_left(name, task):
        print(f"  [ ] {step}")


def set_repository(options):
    """`companion set-repository`: rewrite the public address in every file that holds it, and the site's in `_config.yml`."""
    from companion.publish import project
    from companion.publish.install import repository

    if options.site:
        print(f"rewrote {repository.set_site(project.project_root(), options.site)}")
    for path in repository.set_repository(project.project_root(), options.url):
        print(f"rewrote {path}")


def links(options):
    """`companion links`: the dead and the moved addresses, with the pages they stand on; 1 when one is dead."""
    from companion.publish import project
    from companion.publish.site import links as checking

    root = project.project_root()
    addresses = checking.outside_addresses(root)
    exceptions = checking.load_exceptions(checking.exceptions_path(root))
    agent = f"companion-links (+{project.repository(root)})"
    results = checking.check_outside(addresses, exceptions, timeout=options.timeout, agent=agent)
    lines, well = checking.summary(results, exceptions)
    print("\n".join(lines))
    return 0 if well else 1


def progress_bar(total, title, unit="job"):
    """A progress bar on the terminal; returns the function that is told of each finished piece of work."""
    from tqdm import tqdm

    start = time.perf_counter()
    bar = tqdm(total=total, desc=title, unit=unit, disable=total == 0)

    def advance(name, problem=None):
        bar.write(f"{'✗' if problem else '✓'} {name}  (after {time.perf_counter() - start:.0f} s)", file=sys.stderr)
        bar.update()
        if bar.n == total:
            bar.close()

    return advance
