"""The benchmarks: every contender does the same work, ratios and bars are read rightly, and unknown names get a sentence."""

import dataclasses
import json
import sys

import pytest
import torch


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


# --------------------------------------------------------------------------------------------------------- sequences


@pytest.fixture(scope="module")
def sequences(benchmark):
    import sequences

    return sequences


def times(cpu):
    """What `epoch` finds, with these CPU times."""
    return [{"cpu": seconds, "wall": 9.0, "read": 250.0} for seconds in cpu]


def test_the_reviews_have_the_lengths_of_imdb(sequences):
    split = sequences.make_reviews(4096)
    lengths = sequences.sequence_lengths(split.inputs)
    assert split.inputs.shape == (4096, 250)
    assert 0 < split.inputs[0, 0] <= split.inputs.max() < sequences.WORDS
    assert lengths.float().mean() == pytest.approx(177, abs=4)
    assert lengths.median() == pytest.approx(174, abs=6)
    assert (lengths == 250).float().mean() == pytest.approx(0.303, abs=0.03)


def test_the_usual_loop_and_fit_get_the_same_padded_reviews(sequences):
    split = sequences.make_reviews(70)
    reviews = sequences.Reviews(split)
    x, y = sequences.collate([reviews[i] for i in range(70)])
    assert torch.equal(x, split.inputs.long())
    assert torch.equal(y, split.labels)


@pytest.mark.slow
def test_each_contender_of_the_sequences_has_a_process_of_its_own_and_takes_every_step(
    sequences, monkeypatch, tmp_path, capsys
):
    words = ["--networks", "lstm", "--repeats", "1", "--reviews", "70", "--output", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["sequences.py", *words])
    code = sequences.main()
    network = json.loads((tmp_path / "sequences.json").read_text())["networks"]["lstm"]
    assert code == (0 if network["rows"][0]["met"] else 1)
    found = {name: results["0"][0] for name, results in network["found"].items()}
    assert {name: one["steps"] for name, one in found.items()} == dict.fromkeys(sequences.CONTENDERS, 3)
    assert {name for name, one in found.items() if not one["flushed"]} == {"usual"}
    assert found["usual"]["read"] > 240 > found["fit-buckets"]["read"]
    assert all(one["cpu"] > 0 for one in found.values())
    assert (tmp_path / "sequences.md").read_text() == capsys.readouterr().out[:-1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 2}, "steps 2 instead of 3"),
        ({"flushed": False}, "flushed False"),
        ({"read": 180.0}, "180 words read"),
    ],
)
def test_a_contender_of_the_sequences_that_does_other_work_is_found_out(sequences, wrong, message):
    right = {"steps": 3, "flushed": True, "threads": 1, "read": 250.0}
    sequences.check("fit", sequences.NETWORKS["lstm"], 70, right)
    with pytest.raises(RuntimeError, match=f"fit, LSTM with 32 units, batches of 32: {message}"):
        sequences.check("fit", sequences.NETWORKS["lstm"], 70, right | wrong)


def test_the_bar_of_the_sequences_is_held_against_the_first_two_epochs_together(sequences):
    found = {
        "usual": {0: times([8, 4, 5]), 1: times([1, 2, 3]), 10: times([1, 1, 1])},
        "fit": {0: times([1, 1, 1]), 1: times([1, 1, 1]), 10: times([1, 1, 2])},
    }
    usual, fit = sequences.compare("lstm", found, 100)
    assert [usual[name]["median"] for name in ("first", "ratio", "later")] == [5, 4, 1]
    assert (usual["ratio"]["min"], usual["ratio"]["max"], usual["bar"], usual["met"]) == (3, 4.5, 3.0, True)
    assert (fit["speed"]["median"], fit["ratio"], fit["bar"], fit["met"]) == (100, None, None, None)
    assert "4.00 (3.00–4.50)" in sequences.table([usual, fit])
    assert [row["bar"] for row in sequences.compare("lstm-128", found, 100)] == [None, None]
    slow = found | {"fit": {after: times([2, 2, 2]) for after in (0, 1, 10)}}
    assert sequences.compare("lstm", slow, 100)[0]["met"] is False


def test_a_missed_bar_of_the_sequences_ends_with_exit_code_1(sequences, monkeypatch, capsys):
    row = {"contender": "usual", "read": 250.0, "first": None, "later": None, "bar": 3.0, "met": False}
    row |= {name: {"min": 2.0, "median": 2.0, "max": 2.0} for name in ("speed", "ratio")}
    monkeypatch.setattr(sequences, "measure", lambda *_: {"lstm": {"trained_accuracy": 0.5, "rows": [row]}})
    monkeypatch.setattr(sys, "argv", ["sequences.py", "--reviews", "70"])
    assert sequences.main() == 1
    assert "MISSED" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--networks", "rnn"], ["--contenders", "packed"]])
def test_an_unknown_name_among_the_sequences_gets_a_sentence(sequences, monkeypatch, words):
    monkeypatch.setattr(sys, "argv", ["sequences.py", *words])
    with pytest.raises(SystemExit, match=r"^There is no (network 'rnn'|contender 'packed'); there are .*\.$"):
        sequences.main()
