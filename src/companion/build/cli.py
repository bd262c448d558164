"""The command line: `companion build | run | record | refresh | check | claims | data | new | set-repository`."""

import argparse
import os
import sys
from pathlib import Path

from companion.build import UserError


def main(arguments=None):
    """Run one command; returns the exit code: 0 done, 1 a problem said in a sentence, 130 stopped by Ctrl-C."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        return options.function(options) or 0
    except UserError as error:
        print(f"companion: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("companion: stopped.", file=sys.stderr)
        return 130


def build_parser():
    parser = argparse.ArgumentParser(prog="companion", description="Build, check and extend the course companion.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(function, name, help):
        sub = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(function=function)
        return sub

    sub = command(record, "record", "run the full profile of a chapter, one job per setting and seed, and keep the runs")
    sub.add_argument("chapter", nargs="+", help="one or more chapters, or 'all' for every chapter with a grid")
    sub.add_argument("--workers", type=int, help="jobs side by side (default: one per core)")
    sub.add_argument("--scheduler", metavar="ADDRESS", help="send the jobs to a dask.distributed scheduler instead")
    sub.add_argument("--device", help="auto (default), cuda, mps or cpu")
    sub.add_argument("--redo", action="store_true", help="run every job again, also those already recorded")
    return parser


def record(options):
    """`companion record`: jobs through papermill, each saved as it ends; a second call does only what is missing."""
    from companion.build import chapters, execute

    root = chapters.project_root()
    names = options.chapter
    if names == ["all"]:
        names = [name for name in chapters.chapter_names(root) if execute.profile(name).get("grid")]
    failed = False
    for chapter in names:
        before, now, errors = execute.record_chapter(
            root,
            chapter,
            workers=options.workers,
            scheduler=options.scheduler,
            redo=options.redo,
            overrides={"device": options.device} if options.device else None,
            progress=progress_bar,
        )
        print(f"{chapter}: {now} jobs recorded now, {before} were there before, {len(errors)} failed.")
        for error in errors:
            print(f"companion: {error}", file=sys.stderr)
        failed = failed or bool(errors)
    return 1 if failed else 0


def progress_bar(total, title):
    """A progress bar on the terminal; returns the function that is told of each finished piece of work."""
    import time

    from tqdm import tqdm

    start = time.perf_counter()
    bar = tqdm(total=total, desc=title, unit="job", disable=total == 0)

    def advance(name, problem=None):
        bar.write(f"{'✗' if problem else '✓'} {name}  ({time.perf_counter() - start:.0f} s)")
        bar.update()
        if bar.n == total:
            bar.close()

    return advance
