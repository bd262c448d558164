"""The chapter cifar100: what its own tests know of it."""

import json
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest
import torch
from books import ROOT
from reading import counted, source, works_cited
from torch import nn

from companion import load_claims
from companion.evidence import records
from companion.publish.notebooks import chapters
from companion.publish.notebooks.verdicts import committed_verdicts

CLAIMS = load_claims("cifar100")


@pytest.fixture(scope="module")
def page():
    """The names that the page's cells with the two networks define."""
    names = {"nn": nn, "torch": torch, "dropout": 0.5}
    exec("from itertools import pairwise", names)
    for beginning in ("def block", "def alexnet", "widths = "):
        (cell,) = [c.source for c in chapters.code_cells(source("cifar100")) if c.source.startswith(beginning)]
        exec(cell, names)
    return names


def test_rows_and_totals_follow_from_the_formulas_by_hand():
    """(k² · in + 1) · out for convolutions, (in + 1) · out for dense layers, 4 numbers a channel for batch normalisation."""
    alex = [(3, 3, 96), (5, 96, 256), (3, 256, 384), (3, 384, 184), (3, 184, 256)]
    dense = [(256, 1024), (1024, 1024), (1024, 100)]
    rows = [(k * k * i + 1) * o for k, i, o in alex] + [(i + 1) * o for i, o in dense]
    assert rows == CLAIMS["E-alexnet-rows"].correct
    norms = sum(o for *_, o in alex) + 256 + 1024
    assert [sum(rows) + 4 * norms, sum(rows) + 2 * norms, 2 * norms] == CLAIMS["E-alexnet-params"].correct
    widths = [3, 32, 32, 64, 64, 128, 128, 128, 256, 256, 256, 256, 256, 256]
    vgg = [(9 * i + 1) * o for i, o in pairwise(widths)]
    vgg += [(i + 1) * o for i, o in [(256, 6272), (6272, 1024), (1024, 1024), (1024, 100)]]
    assert list(dict.fromkeys(vgg)) == CLAIMS["E-vgg16-rows"].correct
    assert sum(vgg) + 4 * (sum(widths[1:]) + 256 + 6272 + 1024) == CLAIMS["E-vgg16-params"].correct


def test_the_page_s_networks_have_these_parameters_and_put_out_a_number_for_each_class(page):
    for name, total in (("alexnet", CLAIMS["E-alexnet-params"].correct[1]), ("vgg", 12_887_044)):
        model = page[name]()
        assert sum(p.numel() for p in model.parameters()) == total
        assert model.eval()(torch.zeros(2, 3, 32, 32)).shape == (2, 100)


def test_unread_pixels_are_those_between_the_kernels():
    read = {4 * step + k for step in range(8) for k in range(3)}
    assert 32 * 32 - len(read) ** 2 == CLAIMS["E-alexnet-unread"].correct


def test_use_it_tomorrow_finds_the_same_pixels(page):
    (cell,) = [c.source for c in chapters.code_cells(source("cifar100")) if "def unread_pixels" in c.source]
    names = {"alexnet": page["alexnet"]}
    exec(cell, names)
    torch.manual_seed(0)
    assert names["unread_pixels"](page["alexnet"](), (3, 32, 32)) == CLAIMS["E-alexnet-unread"].correct
    assert names["unread_pixels"](nn.Conv2d(3, 4, 3, padding=1), (3, 8, 8)) == 0


def test_the_picture_is_to_scale_and_has_the_report_s_rows():
    picture = ElementTree.parse(ROOT / "book" / "static" / "ideas" / "alexnet-maps.svg").getroot()
    squares = [
        (int(box.get("data-pixels")), float(box.get("width"))) for box in picture.iter() if box.get("data-pixels")
    ]
    assert [side for side, _ in squares] == [32, 8, 4, 2, 2, 2, 1, 1, 1]
    assert all(width / side == pytest.approx(squares[0][1] / 32) for side, width in squares)
    bars = [int(box.get("data-parameters")) for box in picture.iter() if box.get("data-parameters")]
    assert bars == CLAIMS["E-alexnet-rows"].correct


# ------------------------------------------------------------ what the page says of its record, read from the file itself


@pytest.fixture(scope="module")
def last():
    """{(network, augmentation, l2): {seed: the row's last values}}"""
    found = {}
    for row in json.loads((records.FOLDER / "cifar100.json").read_text(encoding="utf-8"))["runs"]:
        setting = row["setting"]["network"], row["setting"]["augmentation"], row["setting"]["l2"]
        curves = {name: curve[-1] for name, curve in row["history"].items() if isinstance(curve, list) and curve}
        found.setdefault(setting, {})[row["seed"]] = curves
    return found


def test_five_seeds_decide_and_the_data_are_the_substitute(last):
    assert sorted(last["AlexNet", "crop_and_flip", 1e-4]) == [0, 1, 2, 3, 4]
    rows = json.loads((records.FOLDER / "cifar100.json").read_text(encoding="utf-8"))["runs"]
    assert {row["data"]["name"] for row in rows} == {"CIFAR-10"}


def test_what_the_page_says_of_gaps_and_baselines_is_so(last):
    def gaps(*setting):
        return [row["train_accuracy"] - row["val_accuracy"] for row in last[setting].values()]

    def val(*setting):
        return [row["val_accuracy"] for row in last[setting].values()]

    alex = ("AlexNet", "crop_and_flip", 1e-4)
    assert max(gaps(*alex)) < 0.1 < min(gaps("AlexNet", "none", 1e-4))
    mean = {
        name: sum(values) / len(values)
        for name, values in (
            ("alex", val(*alex)),
            ("small", val("small CNN", "crop_and_flip", 1e-4)),
            ("hog", val("HOG", "none", 1e-4)),
        )
    }
    assert abs(mean["hog"] - mean["alex"]) < 0.02
    small = last["small CNN", "crop_and_flip", 1e-4]
    assert len(small) == 3 and all(
        row["val_accuracy"] > last[alex][seed]["val_accuracy"] for seed, row in small.items()
    )


def test_a_substitute_decides_nothing_about_the_report_s_data():
    verdicts = committed_verdicts(ROOT)
    assert verdicts["E-cifar100-overfit"].status == "not tested"
    assert [part.status for part in verdicts["E-cifar100-overfit"].parts] == ["reversed", "holds", "holds"]
    assert verdicts["E-vgg16-epochs"].status == verdicts["E-alexnet-reg"].status == "not tested"


def test_augmentation_shrinks_the_gap_and_has_not_raised_the_validation_accuracy(last):
    with_it, without = (last["AlexNet", name, 1e-4] for name in ("crop_and_flip", "none"))
    gains = [with_it[seed]["val_accuracy"] - without[seed]["val_accuracy"] for seed in without]
    assert len(gains) == 3 and max(gains) < 0.01
    gaps = [
        sum(row["train_accuracy"] - row["val_accuracy"] for row in rows.values()) / len(rows)
        for rows in (with_it, without)
    ]
    assert 0.08 < gaps[0] / gaps[1] < 0.12


def test_a_tenfold_penalty_left_the_gap_and_lowered_the_accuracy(last):
    strong, usual = (last["AlexNet", "crop_and_flip", l2] for l2 in (1e-3, 1e-4))
    for seed, row in strong.items():
        assert row["val_accuracy"] < usual[seed]["val_accuracy"] - 0.02
    gaps = [
        sum(rows[seed]["train_accuracy"] - rows[seed]["val_accuracy"] for seed in strong) / 2
        for rows in (strong, usual)
    ]
    assert abs(gaps[0] - gaps[1]) < 0.01


def test_the_numbers_that_a_reader_counts_are_found_in_another_way():
    conv = nn.Conv2d(3, 7, 5, stride=2, padding=2)
    assert counted("cifar100") == [conv(torch.zeros(1, 3, 20, 20)).shape[-1]]


def test_the_works_of_the_page_are_in_the_bibliography():
    assert {
        "krizhevsky2012imagenet",
        "simonyan2015very",
        "krizhevsky2009learning",
        "dalal2005histograms",
    } <= works_cited("cifar100")
