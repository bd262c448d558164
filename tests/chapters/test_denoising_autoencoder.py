"""The chapter on the denoising autoencoder: what its own tests know of it."""

import json
import runpy
import shutil

import numpy as np
import pytest
import torch
from books import ROOT
from reading import counted, source, works_cited
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import nn

from companion import load_claims, psnr, ssim
from companion.evidence import records
from companion.publish.notebooks import chapters

NAME = "denoising-autoencoder"
CLAIMS = load_claims(NAME)


def cells(*beginnings):
    """The names that the page's cells with these beginnings define."""
    import companion

    names = {"nn": nn, "torch": torch, "np": np, "count_parameters": companion.count_parameters}
    for beginning in beginnings:
        (cell,) = [c.source for c in chapters.code_cells(source(NAME)) if beginning in c.source]
        exec(cell, names)
    return names


@pytest.fixture(scope="module")
def page():
    return cells("class SameSize", "def no_bottleneck", "def start(", "def silent(")


@pytest.fixture(scope="module")
def rows():
    """{(network, epochs): {seed: the row of the record}}"""
    found = {}
    for row in json.loads((records.FOLDER / f"{NAME}.json").read_text(encoding="utf-8"))["runs"]:
        setting = row["setting"]
        found.setdefault((setting["network"], setting["epochs"]), {})[row["seed"]] = row
    return found


def test_counts_and_sides_follow_by_hand(page):
    rows = [(9 * i + 1) * o for i, o in [(1, 32), (32, 16), (16, 1), (1, 1), (1, 16), (16, 32), (32, 1)]]
    assert [*rows, sum(rows)] == CLAIMS["E-ae-params"].correct
    assert sum(p.numel() for p in page["autoencoder"]().parameters()) == sum(rows)
    sides = [28, 14, 7, -(-7 // 2), 8, 16, 16 - 2, 28]
    assert sides == CLAIMS["E-ae-shapes"].correct


def test_pictures_of_a_size_that_would_not_come_back_are_refused_in_a_sentence(page):
    model = page["autoencoder"]()
    for side in (12, 20, 28, 36):
        assert model(torch.zeros(1, 1, side, side)).shape[-1] == side
    for side in (16, 27, 30, 32):
        with pytest.raises(ValueError, match=f"pictures of {side}×{side} would come back in another size"):
            model(torch.zeros(1, 1, side, side))


def test_a_silent_network_draws_one_picture_and_passes_no_gradient(page):
    x = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    for seed in range(50):
        torch.manual_seed(seed)
        model = page["autoencoder"]()
        if page["silent"](model, x):
            break
    outputs = model(x)
    assert outputs.std(0).max() < 1e-6
    outputs.square().sum().backward()
    assert all(not p.grad.any() for layer in list(model)[:9] for p in layer.parameters())


@pytest.mark.parametrize("seed", range(3))
def test_psnr_and_ssim_are_those_of_scikit_image(seed):
    rng = torch.Generator().manual_seed(seed)
    one, other = torch.rand(2, 1, 28, 28, generator=rng), torch.rand(2, 1, 28, 28, generator=rng)
    for at in range(2):
        a, b = one[at, 0].double().numpy(), other[at, 0].double().numpy()
        assert psnr(one, other)[at].item() == pytest.approx(peak_signal_noise_ratio(b, a, data_range=1), rel=1e-5)
        assert ssim(one, other)[at].item() == pytest.approx(structural_similarity(a, b, data_range=1), rel=1e-4)


# ------------------------------------------------------------ what the page says of its record, read from the file itself


def of(rows, network, epochs, name):
    return [row["extras"][name] for _, row in sorted(rows[network, epochs].items())]


def test_what_the_page_says_of_the_treatments_is_so(rows):
    names = ["noisy", "black", "mean picture", "median", "Gaussian", "total variation"]
    names += ["Gaussian, recalibrated", "total variation, recalibrated", "16 components"]
    filters = dict(zip(names, rows["denoise", 6][0]["extras"]["filter_psnr"], strict=True))
    ours = of(rows, "denoise", 6, "psnr")
    assert len(ours) == len(of(rows, "no bottleneck", 2, "psnr")) == 5
    assert filters["black"] > filters["noisy"]
    assert filters["noisy"] < min(ours) and max(ours + of(rows, "denoise", 24, "psnr")) < filters["median"]
    assert filters["median"] < min(filters[name] for name in names[-3:])
    assert max(of(rows, "copy", 3, "psnr")) < filters["median"]
    assert min(of(rows, "no bottleneck", 2, "psnr")) > max(filters.values())
    assert of(rows, "denoise", 24, "psnr")[0] > of(rows, "denoise", 6, "psnr")[0]


def test_what_the_page_says_of_longer_training_is_so(rows):
    median = rows["denoise", 6][0]["extras"]["filter_psnr"][3]
    components = rows["denoise", 6][0]["extras"]["filter_psnr"][-1]
    longer = {row["extras"]["dead"]: [] for row in rows["denoise", 12].values()}
    for row in rows["denoise", 12].values():
        longer[row["extras"]["dead"]].append(row["extras"]["psnr"])
    below, above = sorted(longer[0.0])
    assert len(longer[1.0]) == 1 and below < median < above < components
    (copied,) = of(rows, "copy", 12, "psnr")
    assert above + 1 < copied < min(of(rows, "no bottleneck", 2, "psnr"))
    assert copied > max(of(rows, "copy", 3, "psnr")) + 2


def test_the_page_counts_the_steps_of_its_runs_rightly(rows):
    steps = {}
    for (network, epochs), group in rows.items():
        (each,) = {-(-row["parameters"]["pictures"] // row["parameters"]["batch_size"]) for row in group.values()}
        steps[network, epochs] = epochs * each
    assert (steps["denoise", 6], steps["denoise", 24], steps["denoise", 12]) == (942, 3768, 7500)
    assert steps["copy", 12] == steps["denoise", 12]
    assert 50 * -(-60_000 // 128) == 23_450
    text = " ".join(cell.source for cell in source(NAME).cells)
    assert all(words in text for words in ("942 steps", "3,768 steps", "7,500 steps", "23,450"))


def test_what_the_page_says_of_reading_is_so(rows):
    first = rows["denoise", 6][0]["extras"]
    assert first["taught_noisy"] > 0.8 > 0.6 > max(of(rows, "denoise", 6, "digits"))
    assert first["taught_noisy"] < min(of(rows, "no bottleneck", 2, "digits"))
    assert first["clean_digits"] > 0.95


def test_what_the_page_says_of_dead_networks_is_so(rows):
    first = rows["denoise", 6][0]["extras"]
    for weights in ("Keras", "PyTorch"):
        assert first[f"dead {weights} PyTorch"] > 3 * first[f"dead {weights} Keras"]
    assert first["dead Keras Keras"] < 5
    assert sum(of(rows, "default start", 3, "dead")) >= 3 and not any(of(rows, "denoise", 6, "dead"))
    dead = [row["extras"]["psnr"] for row in rows["default start", 3].values() if row["extras"]["dead"]]
    assert max(dead) < first["filter_psnr"][2]  # the mean picture


def test_a_network_whose_code_is_zero_is_silent_whatever_comes_behind_it(page):
    torch.manual_seed(0)
    model = page["autoencoder"]()
    with torch.no_grad():
        model[6].bias.fill_(-100)  # nothing gets into the code
        model[9].bias.fill_(1)  # and yet the layer behind it is not zero
    x = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    assert page["silent"](model, x)
    with torch.no_grad():
        model[6].bias.fill_(100)
        model[9].weight.fill_(1)
    assert not page["silent"](model, x)


def test_the_drawing_and_the_slider_show_the_record(tmp_path):
    tool = runpy.run_path(str(ROOT / "tools" / "denoise_levels.py"))
    assert tool["DATA"].read_text(encoding="utf-8") == tool["data"]()
    assert tool["DRAWING"].read_text(encoding="utf-8") == tool["drawing"]()


@pytest.mark.browser
def test_the_slider_moves_the_recorded_pictures_by_keyboard(browser, tmp_path):
    from companion.publish.pages import ideas
    from companion.publish.project import repository

    shutil.copytree(ROOT / "book" / "scripts", tmp_path / "scripts")
    (tmp_path / "book").mkdir()
    style = (ROOT / "book" / "static" / "form.css").read_text(encoding="utf-8")
    (shown,) = [
        line
        for c in source(NAME).cells
        for line in c.source.splitlines()
        if line.startswith("![") and f"{NAME}.svg" in line
    ]
    block = ideas.put_in(ROOT, repository(ROOT), shown, NAME).removeprefix("```{raw} html\n").removesuffix("\n```")
    (tmp_path / "book" / "p.html").write_text(
        f"<!doctype html><html lang=en><meta charset=utf-8><title>t</title><style>{style}</style>{block}",
        encoding="utf-8",
    )
    context = browser.new_context(viewport={"width": 358, "height": 800})
    page = context.new_page()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((tmp_path / "book" / "p.html").as_uri())
    page.locator("[data-name=noise]").wait_for()
    data = page.evaluate("DenoiseLevels")
    shown = "all => all.map(c => c.dataset.signs)"
    assert page.eval_on_selector_all("canvas", shown)[0] == data["inputs"][5][0]
    page.locator("[data-name=noise]").focus()
    page.keyboard.press("Home")
    page.locator("[data-name=digit]").fill("2")
    noisy, coded, free = page.eval_on_selector_all("canvas", shown)
    assert (
        noisy == data["inputs"][0][1]
        and free == data["outputs"]["no bottleneck"][0][1]
        and coded == data["outputs"]["denoise"][0][1]
    )
    assert "Noise of 0.0" in page.locator(".explorable-words").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 358
    context.close()
    assert complaints == []


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    layers = nn.Sequential(nn.MaxPool2d(2, ceil_mode=True), nn.Upsample(scale_factor=2))
    assert counted("denoising-autoencoder") == [layers(torch.zeros(1, 1, 9, 9)).shape[-1]]


def test_the_works_of_the_page_are_in_the_bibliography():
    assert {
        "chollet2016autoencoders",
        "wang2004image",
        "chambolle2004algorithm",
        "glorot2010understanding",
    } <= works_cited(NAME)
