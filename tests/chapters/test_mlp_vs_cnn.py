"""The chapter on MLPs and CNNs: what its own tests know of it."""

import numpy as np
import pytest
from reading import counted
from torch import nn

from companion import layer_table, load_claims, load_record


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    assert counted("mlp-vs-cnn") == [layer_table(nn.Conv2d(2, 4, 3, padding=1), (2, 16, 16)).multiply_adds]


def networks():
    two = {"hidden": 32, "learning_rate": 1e-3}
    return {
        "mlp": load_record("mlp-vs-cnn").select(network="mlp-100"),
        "small mlp": load_record("mlp-vs-cnn").select(network="mlp-12"),
        "one": load_record("depth").select(blocks=1),
        "two": load_record("dropout").select(rate=0.5, **two),
        "three": load_record("depth").select(blocks=3),
        "no dropout": load_record("dropout").select(rate=0.0, **two),
    }


def pairs(first, second):
    """The two runs of each seed that both networks have."""
    one, other = ({run.seed: run for run in runs} for runs in (first, second))
    assert len(set(one) & set(other)) >= 5
    return [(one[seed].history, other[seed].history) for seed in set(one) & set(other)]


def gap(history):
    return history.train_accuracy[-1] - history.val_accuracy[-1]


CNNS = ("one", "two", "three", "no dropout")


def test_every_cnn_beats_the_mlp_in_accuracy_and_loss_in_every_seed_at_the_last_and_at_the_best_epoch():
    found = networks()
    for cnn in CNNS:
        for ours, mlp in pairs(found[cnn], found["mlp"]):
            assert ours.val_accuracy[-1] > mlp.val_accuracy[-1] and ours.val_loss[-1] < mlp.val_loss[-1]
            assert max(ours.val_accuracy) > max(mlp.val_accuracy) and min(ours.val_loss) < min(mlp.val_loss)
        assert cnn == "no dropout" or all(gap(ours) < gap(mlp) for ours, mlp in pairs(found[cnn], found["mlp"]))
    for ours, mlp in pairs(found["three"], found["small mlp"]):
        assert ours.val_accuracy[-1] > mlp.val_accuracy[-1] and ours.val_loss[-1] < mlp.val_loss[-1]


def test_the_mlp_overfits_by_its_loss_and_has_learned_further_than_the_report_s():
    for run in networks()["mlp"]:
        loss = run.history.val_loss
        assert np.argmin(loss) < 10 and loss[-1] > min(loss) + 0.1
        assert run.last("train_accuracy") > 0.66 and run.last("train_loss") < 1.04 and run.last("val_loss") > 1.49


def test_the_cnn_of_three_blocks_is_ahead_at_every_shift_and_keeps_the_largest_part():
    found = {name: runs for name, runs in networks().items() if name in ("mlp", "small mlp", "one", "three")}
    moved = {name: np.mean([run.extras["shift_accuracy"] for run in runs], 0) for name, runs in found.items()}
    for name in set(moved) - {"three"}:
        assert (moved["three"] > moved[name]).all()
        assert (moved["three"] / moved["three"][0] >= moved[name] / moved[name][0]).all()


def test_by_the_report_s_own_numbers_its_mlp_has_a_smaller_gap_than_some_of_its_cnns():
    stated = {
        key: row.reported for name in ("mlp-vs-cnn", "depth", "dropout") for key, row in load_claims(name).items()
    }

    def gaps(row):
        return (
            stated[f"{row}-acc-train"] - stated[f"{row}-acc-val"],
            stated[f"{row}-loss-val"] - stated[f"{row}-loss-train"],
        )

    cnns = [gaps(row) for row in ("A-depth1", "A-drop50", "A-depth3", "A-drop0")]
    assert [cnn[0] > gaps("A-mlp")[0] for cnn in cnns] == [False, False, False, True]
    assert sum(cnn[1] > gaps("A-mlp")[1] for cnn in cnns) == 2


WORDS = ["translation", "baseline"]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/mlp-vs-cnn" in search(words)
