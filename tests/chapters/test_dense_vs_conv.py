"""The chapter on the dense and the convolutional network for digits: what its own tests know of it."""

import json
import xml.etree.ElementTree as ElementTree

import pytest
import torch
from books import ROOT
from reading import counted, source, works_cited
from torch import nn

from companion import load_claims
from companion.evidence import records

WORDS = ["binary accuracy", "one-hot", "weight decay"]


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    assert counted("dense-vs-conv") == [sum(p.numel() for p in nn.Conv2d(10, 10, 12).parameters())]


def test_the_picture_shows_ten_answers_in_three_rows_and_marks_the_wrong_ones():
    picture = ElementTree.parse(ROOT / "book" / "static" / "ideas" / "ten-answers.svg").getroot()
    boxes = [(box.get("data-answer"), box.get("data-right")) for box in picture if box.get("data-answer")]
    right, one, silent = boxes[:10], boxes[10:20], boxes[20:]
    truth = ["yes" if digit == 7 else "no" for digit in range(10)]
    for row in (right, one, silent):
        assert len(row) == 10
        assert [marked for _, marked in row] == [
            "yes" if a == t else "no" for (a, _), t in zip(row, truth, strict=True)
        ]
    assert sum(mark == "no" for _, mark in one) == 2 and sum(mark == "no" for _, mark in silent) == 1


def test_the_kernels_are_the_only_squares_that_give_the_printed_rows():
    printed = load_claims("dense-vs-conv")["E-conv-params"].reported
    first = [k for k in range(1, 60) if (k * k + 1) * 10 == printed[0]]
    second = [k for k in range(1, 60) if (10 * k * k + 1) * 10 == printed[1]]
    assert (first, second) == ([24], [12])


def test_weight_decay_of_twice_the_coefficient_is_the_penalty_for_adam_and_sgd_and_not_for_adamw():
    x = torch.linspace(-1, 1, 40, dtype=torch.float64).view(-1, 4)

    def end(optimizer, decay, coefficient, **more):
        weight = torch.full((4,), 0.5, dtype=torch.float64, requires_grad=True)
        step = optimizer([weight], weight_decay=decay, **more)
        for _ in range(60):
            step.zero_grad()
            (((x @ weight) ** 2 - 1).square().mean() + coefficient * (weight**2).sum()).backward()
            step.step()
        return weight.detach()

    for optimizer, more in ((torch.optim.Adam, {}), (torch.optim.SGD, {"lr": 0.01})):
        assert torch.allclose(end(optimizer, 0.2, 0, **more), end(optimizer, 0, 0.1, **more), atol=1e-12)
    both = end(torch.optim.AdamW, 0.2, 0), end(torch.optim.AdamW, 0, 0.1)
    assert not torch.allclose(*both, atol=1e-4)


# ------------------------------------------------------------ what the page says of its record, read from the file itself


@pytest.fixture(scope="module")
def runs():
    return json.loads((records.FOLDER / "dense-vs-conv.json").read_text(encoding="utf-8"))["runs"]


def test_all_networks_of_a_comparison_read_the_same_images_equally_often(runs):
    seen = {}
    for row in runs:
        key = tuple(row["setting"][name] for name in ("images", "l2", "loss", "low"))
        seen.setdefault(key, set()).add((row["parameters"]["epochs"], row["parameters"]["batch_size"]))
    assert seen and all(len(plans) == 1 for plans in seen.values())


def test_no_run_breaks_the_bounds_between_the_two_readings(runs):
    for row in runs:
        wrong_answers = 10 * (1 - row["history"]["val_binary_accuracy"][-1])
        assert 1 - row["extras"]["all_ten"] <= wrong_answers + 1e-4
        assert row["history"]["val_accuracy"][-1] >= row["extras"]["all_ten"] - 1e-4
        assert 0 <= row["extras"]["silent"] <= 1 - row["extras"]["all_ten"] + 1e-4


def test_counting_at_one_half_in_place_of_zero_hardly_matters_for_the_dense_network(runs):
    for row in runs:
        if row["setting"]["network"] == "dense" and row["setting"]["loss"] == "logits" and row["setting"]["low"] == 0:
            assert abs(row["extras"]["binary_at_half"] - row["history"]["val_binary_accuracy"][-1]) < 0.01


@pytest.mark.parametrize("network", ["dense", "dense + dropout", "conv 24/12"])
def test_from_10_000_images_on_the_printed_numbers_lie_below_our_binary_accuracies_and_not_below_our_digits(
    runs, network
):
    printed = float(load_claims("dense-vs-conv")["E-conv-acc"].reported)
    ours = []
    for row in runs:
        setting = row["setting"]
        plain = (setting["network"], setting["l2"], setting["loss"], setting["low"]) == (network, 1e-4, "logits", 0)
        if plain and setting["images"] >= 10_000:
            ours.append([row["history"][name][-1] for name in ("val_binary_accuracy", "val_accuracy")])
    binary, digits = zip(*ours, strict=True)
    assert len(ours) == 10 and min(binary) > printed
    assert min(digits) < printed and max(digits) < printed + 0.005


# ------------------------------------------------------------------------------------------------------------------------


def test_every_network_that_the_page_names_is_built_by_it_and_counted():
    text = "".join(cell.source for cell in source("dense-vs-conv").cells if cell.cell_type == "code")
    names = {"logistic", "dense", "dense + dropout", "conv 24/12", "conv 5/5", "conv 5/5 + dropout"}
    assert all(f'"{name}": ' in text for name in names)


def test_the_works_that_it_builds_on_lead_back_to_it():
    assert {"nielsen2015neural", "lecun1998gradient", "loshchilov2019decoupled"} <= set(works_cited("dense-vs-conv"))


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/dense-vs-conv" in search(words)
