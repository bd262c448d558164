"""Ten yes-or-no answers in place of one choice."""

import math

import pytest
import torch

from companion import evaluate, one_hot_accuracy, one_hot_loss
from companion.training.one_hot import one_hot


def test_the_loss_is_the_mean_of_all_answers_by_the_formula():
    outputs, labels = torch.tensor([[0.5, -1.0, 2.0], [-0.3, 0.0, 1.0]]).double(), torch.tensor([2, 0])
    total = 0.0
    for row, label in zip(outputs.tolist(), labels.tolist(), strict=True):
        for place, z in enumerate(row):
            p = 1 / (1 + math.exp(-z))
            total -= math.log(p if place == label else 1 - p)
    assert one_hot_loss(outputs, labels).item() == pytest.approx(total / 6, abs=1e-12)


def test_who_always_says_no_is_right_in_nine_of_ten_answers_and_who_always_says_yes_in_one():
    labels = torch.arange(10)
    assert one_hot_accuracy(torch.full((10, 10), -3.0), labels).tolist() == pytest.approx([0.9] * 10)
    assert one_hot_accuracy(torch.full((10, 10), 3.0), labels).tolist() == pytest.approx([0.1] * 10)


def test_a_wrong_digit_costs_two_answers_and_silence_one():
    outputs = torch.full((2, 10), -1.0)
    outputs[0, 1] = 1.0  # says 1 where 7 is meant
    assert one_hot_accuracy(outputs, torch.tensor([7, 7])).tolist() == pytest.approx([0.8, 0.9])


def test_both_serve_evaluate():
    outputs = torch.eye(4) * 6 - 3
    metrics = {"binary_accuracy": one_hot_accuracy}
    loss, binary = evaluate(torch.nn.Identity(), outputs, torch.arange(4), one_hot_loss, metrics=metrics)
    assert binary == 1 and loss == pytest.approx(math.log(1 + math.exp(-3)), abs=1e-6)


def test_one_hot_rows_where_classes_are_meant_are_refused_with_what_to_do():
    rows = torch.eye(3)
    for targets in (rows, rows.long(), torch.tensor([0.0, 1.0, 2.0])):
        with pytest.raises(ValueError, match=r"are no classes.*One-hot rows become classes by \.argmax\(1\)"):
            one_hot_loss(torch.zeros(3, 3), targets)
        with pytest.raises(ValueError, match="are no classes"):
            one_hot_accuracy(torch.zeros(3, 3), targets)


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_without_an_output_is_refused(label):
    with pytest.raises(ValueError, match="3 outputs stand for the classes 0 to 2"):
        one_hot_loss(torch.zeros(2, 3), torch.tensor([0, label]))


def test_no_items_have_no_rows():
    assert one_hot(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long)).shape == (0, 3)
