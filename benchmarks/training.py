"""How fast is `companion.fit`? One run against the bare limit, PIL + DataLoader, Lightning, Keras, fastai and skorch.

What each contender does stands at the top of contenders.py. What is timed: CPU time, one thread, one set-up for all
(`companion.set_up`: threads, denormals, heap). Models, optimisers and data are made before the clock starts. Contenders take
turns within each repeat, each repeat beginning with another one; the first round only warms up, and checks that all take the
same number of steps. A ratio is formed inside a repeat, and its median over the repeats is held against the bar: `fit` is
never slower than any contender, and more where BARS says so.
"""

import argparse
import datetime
import gc
import json
import os
import platform
import statistics
import sys
import warnings
from importlib import metadata
from pathlib import Path
from unittest import mock

import jobs
import torch
from contenders import BATCH_SIZE, CONTENDERS, NETWORKS, Clock, make_data, why_missing

from companion import records, set_up

BARS = {  # (network, contender): the least ratio of fit's speed to its speed; 1 for every contender not named here
    ("cnn", "bare"): 0.85,
    ("cnn", "bare-nchw"): 0.90,
    ("gap", "bare"): 0.85,
    ("gap", "bare-nchw"): 0.90,
    ("mlp", "bare"): 0.80,
    ("cnn", "pil"): 1.6,
    ("mlp", "pil"): 3.5,
    ("mlp", "lightning"): 1.4,
}


def choose(words, known, what):
    """The names asked for, in the order of `known`; all when none is. An unknown one ends the program with a sentence."""
    unknown = [word for word in words or [] if word not in known]
    if unknown:
        sys.exit(f"There is no {what} {unknown[0]!r}; there are {', '.join(known)}.")
    return [name for name in known if not words or name in words]


def present(names):
    """Those that can run here; says in a sentence which cannot, and why."""
    reasons = {name: why_missing(name) for name in names}
    for name, reason in reasons.items():
        if reason:
            print(f"{name} is left out: {reason}. benchmarks/README.md says how to install it.", file=sys.stderr)
    return [name for name in names if not reasons[name]]


def run(name, network, data):
    """Train once; the stopped clock."""
    gc.collect()  # what the last contender left behind is not this one's work
    clock = Clock()
    CONTENDERS[name].run(network, data, network.epochs, clock)
    return clock


def warm_up(name, network, data):
    """Train once without timing; RuntimeError when the contender does other work than it should."""
    expected = network.epochs * -(-len(data.y) // BATCH_SIZE)
    with mock.patch.object(torch.autograd, "backward", wraps=torch.autograd.backward) as backward:
        run(name, network, data)
    if backward.call_count != expected:
        raise RuntimeError(f"{name} took {backward.call_count} steps instead of {expected}")
    if torch.get_num_threads() != 1:
        raise RuntimeError(f"{name} has changed the number of threads to {torch.get_num_threads()}")


def race(network, names, data, repeats):
    """{contender: {"cpu": images per second of CPU time, "wall": of wall time}}, one number for each repeat."""
    for name in names:
        warm_up(name, network, data)
    images = len(data.y) * network.epochs
    speeds = {name: {"cpu": [], "wall": []} for name in names}
    for repeat in range(repeats):
        first = repeat % len(names)
        for name in names[first:] + names[:first]:
            clock = run(name, network, data)
            speeds[name]["cpu"].append(images / clock.cpu)
            speeds[name]["wall"].append(images / clock.wall)
        print(f"\r{network.title}: repeat {repeat + 1} of {repeats}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return speeds


def summary(values):
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def ratio(speeds, ours, theirs):
    """Our speed divided by theirs, repeat by repeat; None when one of the two did not run."""
    if ours not in speeds or theirs not in speeds:
        return None
    return summary([a / b for a, b in zip(speeds[ours]["cpu"], speeds[theirs]["cpu"], strict=True)])


def compare(key, speeds):
    """One row for each contender of a network: its speeds, fit's ratios to it, the bar, and whether it is met."""
    rows = []
    for name in speeds:
        row = {"contender": name, "cpu": summary(speeds[name]["cpu"]), "wall": summary(speeds[name]["wall"])}
        row["ratio"] = None if name == "fit" else ratio(speeds, "fit", name)
        row["ratio_nchw"] = None if name == "fit-nchw" else ratio(speeds, "fit-nchw", name)
        held = row["ratio_nchw" if name == "bare-nchw" else "ratio"]
        row["bar"] = BARS.get((key, name), 1.0) if held and name != "fit-nchw" else None
        row["met"] = None if row["bar"] is None else held["median"] >= row["bar"]
        rows.append(row)
    return rows


def span(values, form):
    return "–" if values is None else f"{values['median']:{form}} ({values['min']:{form}}–{values['max']:{form}})"


def table(rows):
    """The rows of a network as a Markdown table."""
    header = [
        "contender",
        "images per CPU second",
        "per second (wall)",
        "fit is … times as fast",
        "fit in NCHW",
        "bar",
        "",
    ]
    lines = [header, ["---"] + ["---:"] * 5 + ["---"]]
    for row in rows:
        bar = "–" if row["bar"] is None else f"{row['bar']:.2f}"
        verdict = {None: "", True: "met", False: "MISSED"}[row["met"]]
        wall = f"{row['wall']['median']:,.0f}"
        ratios = [span(row["ratio"], ".2f"), span(row["ratio_nchw"], ".2f")]
        lines.append([CONTENDERS[row["contender"]].title, span(row["cpu"], ",.0f"), wall, *ratios, bar, verdict])
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join("| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines)


def surroundings(names):
    """Where and with what the numbers were measured."""
    packages = [
        "torch",
        "torchvision",
        "numpy",
        "pillow",
        *dict.fromkeys(filter(None, (CONTENDERS[n].needs for n in names))),
    ]
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
        "machine": records._machine("cpu"),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version()} | {name: metadata.version(name) for name in packages},
    }


def report(result):
    """The whole result as Markdown."""
    place = result["surroundings"]
    versions = ", ".join(f"{name} {version}" for name, version in place["versions"].items())
    lines = ["# Benchmarks of the training engine", ""]
    lines += [f"{place['date']}, {place['machine']}, {place['cores']} cores, {place['system']}; {versions}.", ""]
    if result["networks"]:
        text = "Median (least–greatest) of {repeats} repeats of {images} images an epoch; one thread."
        lines += [text.format_map(result["settings"]), ""]
    for key, network in result["networks"].items():
        lines += [f"## {NETWORKS[key].title}", "", table(network["rows"]), ""]
    if result["jobs"]:
        lines += ["## Six jobs", "", jobs.sentence(result["jobs"]), ""]
    return "\n".join(lines)


def arguments():
    parser = argparse.ArgumentParser(description="Measure companion.fit against the bare limit and other libraries.")
    parser.add_argument("--contenders", nargs="+", metavar="NAME", help=f"fit and these of {', '.join(CONTENDERS)}")
    parser.add_argument("--networks", nargs="+", metavar="NAME", help=f"of {', '.join(NETWORKS)} (default: all)")
    parser.add_argument("--repeats", type=int, default=9, help="at least 7 for a verdict (default: 9)")
    parser.add_argument("--images", type=int, default=5120, help="images per epoch (default: 5120)")
    parser.add_argument("--jobs", action="store_true", help="then also six jobs side by side, on idle cores: jobs.py")
    parser.add_argument("--output", metavar="FOLDER", type=Path, help="write training.json and training.md there")
    options = parser.parse_args()
    if options.repeats < 1 or options.images < 1:
        parser.error("--repeats and --images must be at least 1.")
    return options


def main():
    options = arguments()
    networks = choose(options.networks, NETWORKS, "network")
    names = choose(options.contenders and ["fit", *options.contenders], CONTENDERS, "contender")
    set_up()
    warnings.simplefilter("ignore")  # advice of the frameworks about workers and loggers
    names, data = present(names), make_data(options.images)
    result = {"surroundings": surroundings(names), "settings": {"repeats": options.repeats, "images": options.images}}
    result |= {"networks": {}, "jobs": None}
    for key in networks:
        network = NETWORKS[key]
        some = [name for name in names if key in CONTENDERS[name].networks]
        speeds = race(network, some, data, options.repeats)
        result["networks"][key] = {"speeds": speeds, "rows": compare(key, speeds)}
    if options.jobs:
        result["jobs"] = jobs.measure_elsewhere()
    text = report(result)
    print(text)
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
        (options.output / "training.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
        (options.output / "training.md").write_text(text, encoding="utf-8")
    verdicts = [row["met"] for network in result["networks"].values() for row in network["rows"]]
    return 1 if False in [*verdicts, (result["jobs"] or {}).get("met")] else 0


if __name__ == "__main__":
    sys.exit(main())
