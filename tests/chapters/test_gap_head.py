"""The chapter on global average pooling: what its own tests know of it."""

import numpy as np
import pytest
import torch
from reading import counted, works_cited
from torch import nn

from companion import load_claims, load_record, small_gap_cnn


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    cells = torch.zeros(1, 1, 4, 4)
    cells[0, 0, 2, 1] = 48
    assert counted("gap-head") == [nn.AdaptiveAvgPool2d(1)(cells).item()]


def test_the_works_that_it_builds_on_lead_back_to_it():
    assert "krizhevsky2009learning" in works_cited("gap-head")


def heads():
    return load_record("gap-head").select(head="gap"), load_record("depth").select(blocks=3)


def mean_of(runs, metric):
    return np.mean([getattr(run.history, metric) for run in runs], 0)


def test_within_an_image_no_parts_of_the_last_filters_gradient_cancel():
    torch.manual_seed(0)
    model = small_gap_cnn()
    images, labels = torch.rand(4, 3, 32, 32) * 2 - 1, torch.tensor([3, 1, 4, 1])
    nn.functional.cross_entropy(model(images[:1]), labels[:1]).backward()
    signs = model[2].weight.grad.flatten(1).sign()
    assert all(len(set(row.tolist()) - {0.0}) == 1 for row in signs), "one sign for all weights of a class"


def test_the_gap_network_is_behind_in_every_seed_and_loses_less_at_every_shift():
    gap, fc = heads()
    for one in gap:
        (other,) = [run for run in fc if run.seed == one.seed]
        assert one.last("val_accuracy") < other.last("val_accuracy") and one.last("val_loss") > other.last("val_loss")
    moved = [np.mean([run.extras["shift_accuracy"] for run in runs], 0) for runs in (gap, fc)]
    lost = [curve[0] - curve[1:] for curve in moved]
    assert (lost[0] < lost[1]).all() and (moved[0] > moved[1])[-2:].all()


def test_the_gap_network_is_best_at_its_own_size_and_enlarging_hurts_it_more():
    (sizes,) = {tuple(run.provenance["parameters"]["sizes"]) for run in heads()[0]}
    accuracy = dict(zip(sizes, np.mean([run.extras["size_accuracy"] for run in heads()[0]], 0), strict=True))
    assert max(accuracy, key=accuracy.get) == 32 and accuracy[40] < accuracy[24]


def test_longer_training_alone_hardly_explains_the_report_s_losses():
    train, val = (mean_of(heads()[0], metric)[-11:-1] for metric in ("train_loss", "val_loss"))
    slope, at_zero = np.polyfit(train, val, 1)
    told = {key: float(row.reported) for key, row in load_claims("gap-head").items() if "-loss-" in key}
    assert at_zero + slope * told["A-gap-loss-train"] < told["A-gap-loss-val"] - 0.05


def test_both_networks_are_still_learning_and_the_gap_network_s_loss_falls_faster():
    slopes = [np.polyfit(range(10), mean_of(runs, "val_loss")[-10:], 1)[0] for runs in heads()]
    assert slopes[0] < slopes[1] < 0


def test_the_smallest_network_beats_the_largest_cnn():
    one_block = load_record("depth").select(blocks=1)
    assert mean_of(heads()[0], "val_accuracy")[-1] > mean_of(one_block, "val_accuracy")[-1]
    assert mean_of(heads()[0], "val_loss")[-1] < mean_of(one_block, "val_loss")[-1]


WORDS = ["heatmap", "global average pooling", "class activation mapping", "CAM"]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/gap-head" in search(words)
