"""The benchmarks: every contender does the same work, ratios and bars are read rightly, and unknown names get a sentence."""

import dataclasses
import sys

import pytest


@pytest.fixture(scope="module")
def benchmark(root):
    sys.path.insert(0, str(root / "benchmarks"))
    import training

    from companion import set_up

    set_up()
    yield training
    sys.path.remove(str(root / "benchmarks"))


def test_every_contender_that_is_installed_takes_every_step(benchmark):
    data = benchmark.make_data(140)  # the second batch is a short one
    for name in benchmark.present(benchmark.CONTENDERS):
        for network in benchmark.CONTENDERS[name].networks:
            benchmark.warm_up(name, benchmark.NETWORKS[network], data)


def test_a_contender_that_skips_work_is_found_out(benchmark, monkeypatch):
    lazy = dataclasses.replace(benchmark.CONTENDERS["fit"], run=lambda network, data, epochs, clock: None)
    monkeypatch.setitem(benchmark.CONTENDERS, "lazy", lazy)
    with pytest.raises(RuntimeError, match="lazy took 0 steps instead of 2"):
        benchmark.warm_up("lazy", benchmark.NETWORKS["cnn"], benchmark.make_data(140))


def test_ratios_are_formed_within_a_repeat_and_held_against_the_bars(benchmark):
    speeds = {"fit": [90, 40, 100], "bare": [100, 50, 100], "fit-nchw": [60, 30, 60], "pil": [50, 50, 50]}
    rows = benchmark.compare("cnn", {name: {"cpu": values, "wall": values} for name, values in speeds.items()})
    found = {row["contender"]: (row["ratio"] and row["ratio"]["median"], row["bar"], row["met"]) for row in rows}
    assert found == {
        "fit": (None, None, None),
        "bare": (0.9, 0.85, True),
        "fit-nchw": (1.5, None, None),
        "pil": (1.8, 1.6, True),
    }
    assert rows[-1]["ratio_nchw"] == {"min": 0.6, "median": 1.2, "max": 1.2}
    assert "1.80 (0.80–2.00)" in benchmark.table(rows)


@pytest.mark.parametrize("words", [["--networks", "vgg"], ["--contenders", "bare", "jax"]])
def test_an_unknown_name_gets_a_sentence(benchmark, monkeypatch, words):
    monkeypatch.setattr(sys, "argv", ["training.py", *words])
    with pytest.raises(SystemExit, match=r"^There is no (network 'vgg'|contender 'jax'); there are .*\.$"):
        benchmark.main()
