"""The chapter on permuted pixels: what its own tests know of it."""

import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch
from books import ROOT
from reading import counted, source, works_cited
from torch import nn
from torch.nn import functional as F

from companion import inverse_permutation, load_dataset, permute, pixel_permutation
from companion.evidence import records

WORDS = ["permutation", "shuffled pixels", "locality"]


@pytest.fixture(scope="module")
def page():
    """What the page's cells of networks and helpers define."""
    names = {"torch": torch, "nn": nn, "F": F, "np": np, "mean": np.mean}
    for cell in source("permuted-pixels").cells:
        starts = ("class Local", "def two_layers", "def busy_pixels", "def turned")
        text = cell.source.split("\n", 1)[-1] if cell.source.startswith("# @title") else cell.source
        if cell.cell_type == "code" and text.startswith(starts):
            exec(text, names)
    return names


def test_the_number_that_a_reader_counts_is_found_in_another_way(page):
    assert counted("permuted-pixels") == [page["Local"](1, 4, 10, kernel=3).weight.numel()]


def test_the_picture_shows_one_permutation_and_marks_the_same_pixels_on_both_sides():
    picture = ElementTree.parse(ROOT / "book" / "static" / "ideas" / "permuted-window.svg").getroot()
    pixels = [(int(box.get("data-pixel")), box.get("fill")) for box in picture if box.get("data-pixel")]
    before, after = pixels[:36], pixels[36:]
    assert [pixel for pixel, _ in before] == list(range(36)) and sorted(after) == sorted(before)
    window = [pixel for pixel, colour in before if "--idea-second" in colour]
    assert window == [r * 6 + c for r in (1, 2, 3) for c in (2, 3, 4)]
    assert sum("--idea-second" in colour for place, (_, colour) in enumerate(after) if place in window) < 9


def test_local_with_equal_weights_at_all_places_is_a_convolution(page):
    layer, conv = page["Local"](2, 3, 14), nn.Conv2d(2, 3, 5, padding=2)
    with torch.no_grad():
        layer.weight.copy_(conv.weight.flatten(1).T.expand(196, -1, -1))
        layer.offsets.copy_(conv.bias[:, None].expand(-1, 196).flatten())
    x = torch.randn(5, 2, 14, 14)
    assert torch.allclose(layer(x), conv(x), atol=1e-5)


def test_local_has_weights_of_its_own_at_each_place_and_sees_five_by_five_pixels(page):
    layer = page["Local"](1, 1, 28)
    x = torch.randn(1, 1, 28, 28, requires_grad=True)
    layer(x)[0, 0, 10, 20].backward()
    rows, columns = x.grad[0, 0].nonzero().T
    assert sorted(set(rows.tolist())) == list(range(8, 13)) and sorted(set(columns.tolist())) == list(range(18, 23))
    assert (layer.weight.grad.abs().sum((1, 2)) > 0).nonzero().flatten().tolist() == [10 * 28 + 20]


def test_scattered_shares_twenty_five_weights_and_reads_far_pixels(page):
    net = page["scattered_net"]()
    assert net[0].weight.shape == (10, 1, 5, 5) and net(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
    x = torch.randn(1, 1, 28, 28, requires_grad=True)
    net[0](x)[0, 0, 14, 14].backward()
    rows, columns = x.grad[0, 0].nonzero().T
    assert sorted(set(rows.tolist())) == sorted(set(columns.tolist())) == [4, 9, 14, 19, 24]


def test_a_dense_layer_with_its_columns_permuted_trains_the_same_in_64_bits():
    order, data = pixel_permutation(784, 5), load_dataset("digits").train

    def train(pixels):
        torch.manual_seed(1)
        model = nn.Sequential(nn.Linear(784, 20), nn.Tanh(), nn.Linear(20, 10)).double()
        with torch.no_grad():
            model[0].weight.copy_(model[0].weight[:, pixels])
        x, step = data.images.flatten(1)[:200, pixels].double() / 255, torch.optim.SGD(model.parameters(), lr=0.5)
        for _ in range(20):
            step.zero_grad()
            F.cross_entropy(model(x), data.labels[:200]).backward()
            step.step()
        return model

    plain, mixed = train(torch.arange(784)), train(order)
    assert torch.allclose(mixed[0].weight, plain[0].weight[:, order], atol=1e-10)
    assert torch.allclose(mixed[2].weight, plain[2].weight, atol=1e-10)


def test_the_map_of_permuted_images_is_that_of_plain_ones_turned(page):
    images, order = load_dataset("digits").train.images, pixel_permutation(784, 2)
    mixed = page["places_from_correlations"](permute(images, order))
    plain = page["places_from_correlations"](images)
    back = inverse_permutation(order)
    assert set(order[mixed[0]].tolist()) == set(plain[0].tolist()) and len(back) == 784
    errors = [
        page["turned"](places, busy, way)[1] for (busy, places), way in ((plain, torch.arange(784)), (mixed, order))
    ]
    assert errors[0] == pytest.approx(errors[1], abs=0.05) and errors[0] < 4


# ------------------------------------------------------------ what the page says of its record, read from the file itself


@pytest.fixture(scope="module")
def runs():
    return json.loads((records.FOLDER / "permuted-pixels.json").read_text(encoding="utf-8"))["runs"]


def test_plain_and_permuted_runs_read_the_same_images_equally_often(runs):
    plain = json.loads((records.FOLDER / "dense-vs-conv.json").read_text(encoding="utf-8"))["runs"]
    plans = {
        (row["parameters"]["epochs"], row["parameters"]["batch_size"], row["parameters"]["learning_rate"])
        for row in [*runs, *plain]
        if row["setting"]["images"] == 10_000
        and row["setting"]["l2"] == 1e-4
        and row["setting"].get("loss") != "clipped"
    }
    assert len(plans) == 1


def test_each_run_that_kept_a_map_finds_the_pixels_of_mnist_within_two_pixels(runs, page):
    maps = [row for row in runs if "busy" in row.get("extras", {})]
    assert maps
    for row in maps:
        found, busy = row["extras"], torch.tensor(row["extras"]["busy"]).long()
        places = np.stack([found["x"], found["y"]], 1)
        true = pixel_permutation(784, row["seed"])[busy].numpy()
        true = np.stack([true % 28, true // 28], 1)
        # another witness than the page's: distances, which no turning changes
        far = np.linalg.norm(true[:, None] - true[None], axis=2)
        seen = np.linalg.norm(places[:, None] - places[None], axis=2)
        assert np.corrcoef(far.ravel(), seen.ravel())[0, 1] > 0.9
        assert page["turned"](places, busy, pixel_permutation(784, row["seed"]))[1] < 2


# ------------------------------------------------------------------------------------------------------------------------


def test_the_works_that_it_builds_on_lead_back_to_it():
    cited = set(works_cited("permuted-pixels"))
    assert {"nielsen2015neural", "tenenbaum2000global", "goodfellow2013empirical"} <= cited


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/permuted-pixels" in search(words)
