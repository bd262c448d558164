"""How fast is `companion.fit`? One run against the bare limit, PIL + DataLoader, Lightning, Keras, fastai and skorch.

What each contender does stands at the top of contenders.py. What is timed: CPU time, one thread, one set-up for all
(`companion.set_up`: threads, denormals, heap). Models, optimisers and data are made before the clock starts. Contenders take
turns within each repeat, each repeat beginning with another one; the first round only warms up, and checks that all take the
same number of steps. A ratio is formed inside a repeat, and its median over the repeats is held against the bar: `fit` is
never slower than any contender, and more where BARS says so.
"""

import gc
import sys
import warnings
from unittest import mock

import jobs
import torch
from common import arguments, bar_and_verdict, heading, markdown, publish, span, summary, surroundings
from contenders import BATCH_SIZE, CONTENDERS, NETWORKS, Clock, make_data, why_missing

from companion import set_up

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
    lines = []
    for row in rows:
        bar, verdict = bar_and_verdict(row)
        wall = f"{row['wall']['median']:,.0f}"
        ratios = [span(row["ratio"], ".2f"), span(row["ratio_nchw"], ".2f")]
        lines.append([CONTENDERS[row["contender"]].title, span(row["cpu"], ",.0f"), wall, *ratios, bar, verdict])
    return markdown(header, lines)


def report(result):
    """The whole result as Markdown."""
    lines = heading("Benchmarks of the training engine", result["surroundings"])
    if result["networks"]:
        text = "Median (least–greatest) of {repeats} repeats of {images} images an epoch; one thread."
        lines += [text.format_map(result["settings"]), ""]
    for key, network in result["networks"].items():
        lines += [f"## {NETWORKS[key].title}", "", table(network["rows"]), ""]
    if result["jobs"]:
        lines += ["## Six jobs", "", jobs.sentence(result["jobs"]), ""]
    return "\n".join(lines)


def main():
    description = "Measure companion.fit against the bare limit and other libraries."
    flags = {"--jobs": "then also six jobs side by side, on idle cores: jobs.py"}
    options = arguments(description, CONTENDERS, NETWORKS, "images", 5120, flags, repeats=9, least=7)
    set_up()
    warnings.simplefilter("ignore")  # advice of the frameworks about workers and loggers
    names, data = present(options.contenders), make_data(options.images)
    packages = dict.fromkeys(filter(None, (CONTENDERS[name].needs for name in names)))
    settings = {"repeats": options.repeats, "images": options.images}
    result = {"surroundings": surroundings(packages), "settings": settings}
    result |= {"networks": {}, "jobs": None}
    for key in options.networks:
        network = NETWORKS[key]
        some = [name for name in names if key in CONTENDERS[name].networks]
        speeds = race(network, some, data, options.repeats)
        result["networks"][key] = {"speeds": speeds, "rows": compare(key, speeds)}
    if options.jobs:
        result["jobs"] = jobs.measure_elsewhere()
    publish(result, report(result), options.output, "training")
    verdicts = [row["met"] for network in result["networks"].values() for row in network["rows"]]
    return 1 if False in [*verdicts, (result["jobs"] or {}).get("met")] else 0


if __name__ == "__main__":
    sys.exit(main())
