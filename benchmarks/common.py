"""What the benchmarks share: the words of their command lines, their summaries and tables, and where they write results."""

import argparse
import datetime
import json
import os
import platform
import statistics
import sys
from importlib import metadata
from pathlib import Path

from companion.evidence import records


def arguments(description, contenders, networks, what, count, flags, *, repeats, least):
    """The options of a benchmark, with its contenders and its networks as names in the order of these tables.

    `count` (of `what`, per epoch) and `repeats` are defaults, `flags` {flag: help}, `least` the repeats for a verdict. A wrong
    word ends the program with a sentence.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--contenders", nargs="+", metavar="NAME", help=f"fit and these of {', '.join(contenders)}")
    parser.add_argument("--networks", nargs="+", metavar="NAME", help=f"of {', '.join(networks)} (default: all)")
    verdict = f"at least {least} for a verdict (default: {repeats})"
    parser.add_argument("--repeats", type=int, default=repeats, help=verdict)
    parser.add_argument(f"--{what}", type=int, default=count, help=f"{what} per epoch (default: {count})")
    for flag, text in flags.items():
        parser.add_argument(flag, action="store_true", help=text)
    parser.add_argument("--output", metavar="FOLDER", type=Path, help="write the result there, as .json and .md")
    options = parser.parse_args()
    if options.repeats < 1 or vars(options)[what] < 1:
        parser.error(f"--repeats and --{what} must be at least 1.")
    options.networks = choose(options.networks, networks, "network")
    options.contenders = choose(options.contenders and ["fit", *options.contenders], contenders, "contender")
    return options


def choose(words, known, what):
    """The names asked for, in the order of `known`; all when none is. An unknown one ends the program with a sentence."""
    unknown = [word for word in words or [] if word not in known]
    if unknown:
        sys.exit(f"There is no {what} {unknown[0]!r}; there are {', '.join(known)}.")
    return [name for name in known if not words or name in words]


def summary(values):
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def span(values, form):
    return "–" if values is None else f"{values['median']:{form}} ({values['min']:{form}}–{values['max']:{form}})"


def bar_and_verdict(row):
    """The bar of a row in words, and whether it is met."""
    bar = "–" if row["bar"] is None else f"{row['bar']:.2f}"
    return bar, {None: "", True: "met", False: "MISSED"}[row["met"]]


def markdown(header, rows):
    """A Markdown table of strings; its first and its last column are words, the others numbers."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 2) + ["---"], *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join("| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines)


def surroundings(packages=()):
    """Where and with what the numbers were measured."""
    packages = ["torch", "torchvision", "numpy", "pillow", *packages]
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
        "machine": records.machine("cpu"),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version()} | {name: metadata.version(name) for name in packages},
    }


def heading(title, place):
    """The first lines of a report: its title, and its surroundings in words."""
    versions = ", ".join(f"{name} {version}" for name, version in place["versions"].items())
    where = f"{place['date']}, {place['machine']}, {place['cores']} cores, {place['system']}; {versions}."
    return [f"# {title}", "", where, ""]


def publish(result, text, folder, name):
    """Print the report; write it and the result to the folder, where there is one."""
    print(text)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
