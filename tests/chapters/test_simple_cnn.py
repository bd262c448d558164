"""The chapter on the simple CNN: what its own tests know of it."""

import json
import math
import xml.etree.ElementTree as ElementTree
from itertools import combinations, pairwise
from statistics import mean, stdev

import pytest
import torch
from books import ROOT
from reading import counted, works_cited
from scipy.stats import binomtest

from companion.evidence import records
from companion.publish.notebooks import chapters


@pytest.fixture(scope="module")
def page():
    """The names that the page's cells of these words define, run without the rest of the page."""
    notebook = chapters.read_source(ROOT, "simple-cnn")
    names = {"torch": torch, "nn": torch.nn, "binomtest": binomtest, "bits": 32, "mean": mean, "stdev": stdev}
    wanted = ("class Network", "def build", "def as_bits", "def mcnemar", "def knn", "def spread")
    for cell in chapters.code_cells(notebook):
        if any(word in cell.source for word in wanted):
            source = cell.source.split("\npairs = [")[0].split("\nrows = [")[0].split("\nprint(")[0]
            exec(compile(source, "simple-cnn", "exec"), names)
    return names


def test_the_network_has_the_parameters_of_the_report_with_the_pooling_in_either_place(page):
    sizes = {name: sum(p.numel() for p in page["build"](name).parameters()) for name in ("simple", "pool last")}
    assert set(sizes.values()) == {9 * 32 + 32 + 9 * 32 * 32 + 32 + 32 * 14 * 14 * 128 + 128 + 1280 + 10} == {813_802}


@pytest.mark.parametrize(
    "name", ["simple", "no dropout", "pool last", "two pools", "no hidden layer", "average", "linear"]
)
def test_every_network_of_the_page_gives_ten_outputs(page, name):
    assert page["build"](name)(torch.zeros(3, 1, 28, 28)).shape == (3, 10)


def test_sixteen_bits_are_for_training_alone(page):
    page["bits"] = 16
    try:
        torch.manual_seed(0)
        model, images = page["build"]("no dropout"), torch.rand(4, 1, 28, 28)
        few, many = model.train()(images), model.eval()(images)
        page["bits"] = 32
        whole = model.train()(images)
    finally:
        page["bits"] = 32
    assert few.dtype == many.dtype == torch.float32
    assert torch.equal(many, whole) and not torch.equal(few, whole)
    assert torch.allclose(few, whole, atol=0.02)


def test_the_test_of_mcnemar_is_that_of_a_fair_coin_by_summing_its_cases(page):
    first, second = set(range(26)), set(range(16, 26)) | {100, 101, 102}
    b, c, p = page["mcnemar"](first, second)
    tail = sum(math.comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    assert (b, c) == (16, 3) and p == pytest.approx(2 * tail)
    assert page["mcnemar"](first, first) == (0, 0, 1.0)


def test_the_nearest_neighbours_leave_the_point_itself_out(page):
    points = torch.tensor([[0.0], [0.1], [0.2], [0.3], [0.4], [9.0], [9.1], [9.2], [9.3], [9.4], [0.05]])
    labels = torch.tensor([0] * 5 + [1] * 5 + [1])
    right = page["knn"](points, labels)
    others = 0
    for i, point in enumerate(points.tolist()):
        near = sorted((abs(point[0] - x[0]), j) for j, x in enumerate(points.tolist()) if j != i)[:5]
        votes = [labels[j].item() for _, j in near]
        others += (votes.count(1) > votes.count(0)) == labels[i].item()
    assert right == pytest.approx(others / len(points))


def test_a_picture_comes_back_from_its_numbers(page):
    torch.manual_seed(0)
    images = torch.randint(0, 256, (3, 1, 28, 28), dtype=torch.uint8)
    numbers = page["as_bits"](images)
    assert len(numbers) == 3 * 44 and max(numbers) < 2**18  # six digits, so that a record keeps them exactly
    for place, image in enumerate(images[:, 0]):
        own = [numbers[44 * place + k // 18] // 2 ** (k % 18) % 2 for k in range(784)]
        assert own == (image.flatten() > 127).int().tolist()


def test_no_runs_one_run_and_several_are_put_in_words(page):
    assert page["spread"]([]) == "not recorded" and page["spread"]([2.0], 1) == "2.0 (one run)"
    assert page["spread"]([1.0, 3.0], 1) == "2.0 ± 1.4"


def test_the_picture_shows_the_running_loss_above_the_two_that_are_measured_afterwards():
    picture = ElementTree.parse(ROOT / "book" / "static" / "ideas" / "two-clocks.svg").getroot()
    heights = {}
    for part in picture:
        if kind := part.get("data-loss"):
            heights[kind] = float(part.get("cy") or part.get("y") or part.get("d").split()[1].split("H")[0])
    assert set(heights) == {"running", "training", "validation"}
    assert heights["running"] < min(heights["training"], heights["validation"])  # y grows downwards


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    first, second = set(range(106)), set(range(36, 126))  # 106 and 90 errors, 70 of them shared
    assert counted("simple-cnn") == [len(first ^ second)]


# ------------------------------------------------------------ what the page says of its record, read from the file itself


@pytest.fixture(scope="module")
def runs():
    """{(network, epochs): {seed: the row of the record}}."""
    found = {}
    for row in json.loads((records.FOLDER / "simple-cnn.json").read_text(encoding="utf-8"))["runs"]:
        found.setdefault((row["setting"]["network"], row["setting"]["epochs"]), {})[row["seed"]] = row
    return found


@pytest.fixture(scope="module")
def ten(runs):
    return runs["simple", 10]


def test_the_kept_errors_are_as_many_as_the_accuracy_says(runs):
    for chosen in runs.values():
        for row in chosen.values():
            stages = [name for name in sorted(row["extras"]) if name.startswith("errors_")]
            ends = [
                row["history"]["val_accuracy"][(k + 1) * 10 - 1 if len(stages) > 1 else -1] for k in range(len(stages))
            ]
            for name, accuracy in zip(stages, ends, strict=True):
                codes = [int(code) for code in row["extras"][name]]
                assert len(codes) == round(10_000 * (1 - accuracy))
                assert len({code // 100 for code in codes}) == len(codes)
                assert all(code // 10 % 10 != code % 10 for code in codes)


def test_with_dropout_the_running_loss_comes_down_to_the_validation_loss_and_the_evaluated_one_ends_below_it(ten):
    for row in ten.values():
        history = row["history"]
        above = [run - val for run, val in zip(history["running_loss"], history["val_loss"], strict=True)]
        assert min(above[:5]) > 0.01 and abs(above[-1]) < 0.005
        assert history["train_loss"][-1] < history["val_loss"][-1]
        gap = history["running_loss"][0] - history["val_loss"][0]
        assert abs(history["train_loss"][0] - history["val_loss"][0]) < gap / 10


def test_two_seeds_disagree_about_so_many_images_that_sixteen_errors_do_not_reach_five_percent(ten):
    wrong = [{int(code) // 100 for code in row["extras"]["errors_1"]} for row in ten.values()]
    only_one = mean(len(one ^ two) for one, two in combinations(wrong, 2))
    b = round((only_one + 16) / 2)
    assert binomtest(b, 2 * b - 16).pvalue > 0.05


def test_the_classes_come_apart_in_the_hidden_layer(ten):
    pixels, one, two, hidden, outputs = (mean(row["extras"]["knn"][k] for row in ten.values()) for k in range(5))
    jump = hidden - two
    assert pixels > 0.85 and jump > 0.02
    assert max(abs(one - pixels), abs(two - one), abs(outputs - hidden)) < jump
    silhouettes = [mean(row["extras"]["silhouette"][k] for row in ten.values()) for k in range(5)]
    assert silhouettes[3] - silhouettes[2] > 3 * max(abs(silhouettes[k + 1] - silhouettes[k]) for k in (0, 1))


def test_every_map_looks_better_separated_than_its_layer_and_depends_on_its_setting(ten):
    for row in ten.values():
        for place in range(3):
            own, maps = (
                row["extras"]["silhouette"][place + 2],
                row["extras"]["map_silhouette"][4 * place : 4 * place + 4],
            )
            assert min(maps) > own
            assert max(maps) - min(maps) > 0.02


def test_the_network_fits_its_training_images_and_the_linear_model_falls_too_but_stays_far_above(runs, ten):
    for row in ten.values():
        assert row["history"]["train_accuracy"][-1] > 0.99
    if linear := runs.get(("linear", 10)):
        for row in linear.values():
            curve = row["history"]["running_loss"]
            assert curve[9] < curve[4] < curve[0]
            assert sum(after > before for before, after in pairwise(curve)) <= 1
            assert row["history"]["train_loss"][-1] > 5 * max(r["history"]["train_loss"][-1] for r in ten.values())


def test_without_dropout_the_first_distance_is_there_still_and_later_ones_are_smaller(runs, ten):
    for seed, row in runs.get(("no dropout", 5), {}).items():
        gaps = [a - b for a, b in zip(row["history"]["running_loss"], row["history"]["val_loss"], strict=True)]
        assert gaps[0] > 0.05
        if seed in ten:
            history = ten[seed]["history"]
            assert gaps[4] < history["running_loss"][4] - history["val_loss"][4]


# ------------------------------------------------------------------------------------------------------------------------


def test_the_works_that_it_builds_on_lead_back_to_it():
    assert {"mcnemar1947note", "wattenberg2016how"} <= set(works_cited("simple-cnn"))


WORDS = ["t-SNE", "McNemar", "confusion matrix", "mnist"]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/simple-cnn" in search(words)
