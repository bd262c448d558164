"""How much faster are recorded jobs side by side? Six jobs of the dropout chapter with two workers against one.

Each job is what `companion record dropout` runs: the chapter up to its record by papermill in a fresh kernel, here on the
embedded data set and with few epochs; start of the kernel and imports are part of it. Wall time, so it needs two idle cores;
where they are busy, or fewer than two, the numbers are shown without a verdict.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

from companion.publish import project
from companion.publish.notebooks import chapters, recording

BAR = 1.6
CHAPTER = "dropout"
PROFILE = {
    "parameters": {"dataset": "photo_digits", "device": "cpu"},
    "grid": [{"rates": [0.0, 0.5], "seeds": [0, 1, 2]}],
}


def busy_cores(seconds=2.0):
    """How many cores other processes keep busy, on average over this time."""
    import psutil

    return psutil.cpu_percent(seconds) / 100 * psutil.cpu_count()


def run_jobs(source, workers, epochs):
    """Wall seconds of the six jobs; nothing is left on the disk."""
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch("companion.evidence.profiles.profile", lambda chapter: PROFILE),
    ):
        root = Path(folder)
        (root / "book").mkdir()
        shutil.copy(source, root / "book")
        start = time.perf_counter()
        _, done, errors = recording.record_chapter(
            root, CHAPTER, workers=workers, overrides={"epochs": epochs}, folder=root
        )
        seconds = time.perf_counter() - start
    if errors or done != 6:
        raise RuntimeError(f"{done} of 6 jobs ended well: {errors}")
    return seconds


def measure(epochs, repeats):
    """Seconds with one and with two workers, taking turns; their ratio's median against the bar, or why there is no verdict."""
    source = chapters.source_path(project.project_root(Path(__file__).parent), CHAPTER)
    busy, cores, seconds = busy_cores(), os.cpu_count(), {1: [], 2: []}
    for repeat in range(repeats):
        for workers in (1, 2) if repeat % 2 == 0 else (2, 1):
            seconds[workers].append(run_jobs(source, workers, epochs))
        print(f"\rsix jobs: repeat {repeat + 1} of {repeats}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    ratios = [one / two for one, two in zip(seconds[1], seconds[2], strict=True)]
    idle = cores - busy >= 1.8
    why = None if idle else f"{cores} cores, of which other processes keep {busy:.1f} busy"
    median = statistics.median(ratios)
    result = {"epochs": epochs, "one_worker": seconds[1], "two_workers": seconds[2], "ratios": ratios, "median": median}
    return {**result, "bar": BAR, "no_verdict": why, "met": None if why else median >= BAR}


def measure_elsewhere(*words):
    """`measure` in a process of its own, whose workers need not import what the caller has imported."""
    done = subprocess.run([sys.executable, __file__, "--json", *words], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def sentence(result):
    """The result in words."""
    one, two = (statistics.median(result[name]) for name in ("one_worker", "two_workers"))
    ratios = f"{result['median']:.2f} times as fast ({min(result['ratios']):.2f}–{max(result['ratios']):.2f})"
    verdict = f"no verdict: {result['no_verdict']}" if result["no_verdict"] else "met" if result["met"] else "MISSED"
    return (
        f"Six jobs of the {CHAPTER} chapter, {result['epochs']} epochs each: {one:.0f} s with one worker, {two:.0f} s with two, "
        f"{ratios}; median of {len(result['ratios'])}; bar {result['bar']}: {verdict}."
    )


def main():
    parser = argparse.ArgumentParser(description="Measure six recorded jobs with two workers against one.")
    parser.add_argument("--epochs", type=int, default=10, help="of each job (default: 10)")
    parser.add_argument("--repeats", type=int, default=3, help="(default: 3)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args()
    result = measure(options.epochs, options.repeats)
    print(json.dumps(result) if options.json else sentence(result))
    return 1 if result["met"] is False and not options.json else 0


if __name__ == "__main__":
    sys.exit(main())
