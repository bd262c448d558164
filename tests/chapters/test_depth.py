"""The chapter on depth: what its own tests know of it."""

import json
import xml.etree.ElementTree as ElementTree
from statistics import mean, stdev

import pytest
from books import ROOT
from networks import reach
from reading import counted, works_cited
from scipy.stats import t
from torch import nn

from companion import layer_table, small_cnn
from companion.evidence import records

CHANNELS = (32, 64, 16)


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    # ones as weights and a mean in place of the maximum: a maximum passes the gradient to one pixel only
    assert counted("depth") == [reach(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3), nn.AvgPool2d(2))]


def test_the_picture_shows_what_a_unit_behind_each_block_sees():
    picture = ElementTree.parse(ROOT / "book" / "static" / "ideas" / "depth-field.svg").getroot()
    squares = {int(box.get("data-pixels")): float(box.get("width")) for box in picture if box.get("data-pixels")}
    block = (nn.Conv2d(1, 1, 3, padding=1), nn.AvgPool2d(2))
    assert sorted(squares) == [reach(*block * blocks) for blocks in (1, 2, 3)]
    image = next(float(box.get("width")) for box in picture if box.get("fill", "").startswith("var(--idea-soft"))
    assert all(width / image == pytest.approx(pixels / 32) for pixels, width in squares.items())


# ------------------------------------------------------------ what the page says of its record, read from the file itself


@pytest.fixture(scope="module")
def runs():
    """{number of blocks: {seed: the row of the record}} on the book's own split."""
    found = {1: {}, 2: {}, 3: {}}
    for name in ("depth", "dropout"):
        for row in json.loads((records.FOLDER / f"{name}.json").read_text(encoding="utf-8"))["runs"]:
            blocks = row["setting"].get("blocks")
            if row["setting"] == {"rate": 0.5, "hidden": 32, "learning_rate": 1e-3}:
                blocks = 2
            if blocks and row["parameters"].get("split", 0) == 0:
                found[blocks][row["seed"]] = row
    return found


def last(metric):
    return lambda row: row["history"][metric][-1]


def lowest(row):
    return min(row["history"]["val_loss"])


def gap(row):
    return last("train_accuracy")(row) - last("val_accuracy")(row)


def average(reading, rows):
    return mean(map(reading, rows.values()))


def differences(reading, first, second):
    return [reading(first[seed]) - reading(second[seed]) for seed in sorted(first.keys() & second.keys())]


def interval(values):
    reach_of_mean = t.ppf(0.975, len(values) - 1) * stdev(values) / len(values) ** 0.5
    return mean(values) - reach_of_mean, mean(values) + reach_of_mean


def test_from_one_block_to_two_every_seed_gains(runs):
    gains = differences(last("val_accuracy"), runs[2], runs[1])
    falls = differences(last("val_loss"), runs[2], runs[1])
    assert min(gains) > 0 and interval(gains)[0] > 0 and max(falls) < 0 and interval(falls)[1] < 0


def test_from_two_blocks_to_three_the_average_gains_less_than_the_seeds_scatter(runs):
    accuracies = {blocks: list(map(last("val_accuracy"), runs[blocks].values())) for blocks in (2, 3)}
    assert 0 < mean(accuracies[3]) - mean(accuracies[2]) < stdev(accuracies[2])
    assert stdev(accuracies[2]) > stdev(accuracies[3]) and max(accuracies[2]) > min(accuracies[3])
    assert average(last("val_loss"), runs[3]) < average(last("val_loss"), runs[2])


def test_the_report_fits_its_training_images_better_and_ours_are_fitted_best_by_two_blocks(runs):
    assert max(map(last("train_accuracy"), runs[3].values())) < 0.85
    fits = {blocks: average(last("train_accuracy"), runs[blocks]) for blocks in runs}
    assert max(fits, key=fits.get) == 2
    assert average(gap, runs[3]) < average(gap, runs[2])


def test_the_lowest_losses_have_the_same_order_and_three_blocks_are_at_their_best_at_the_end(runs):
    assert average(lowest, runs[1]) > average(lowest, runs[2]) > average(lowest, runs[3])
    for curve, best in (("val_loss", min), ("val_accuracy", max)):
        epochs = [row["history"][curve].index(best(row["history"][curve])) + 1 for row in runs[3].values()]
        assert mean(epochs) > 26, curve


def test_one_block_loses_more_at_two_to_six_pixels_and_at_one_and_eight_it_cannot_be_told(runs):
    moved = runs[1][0]["parameters"]["shifts"]
    for place, pixels in list(enumerate(moved))[1:]:

        def lost(row, place=place):
            return row["extras"]["shift_accuracy"][0] - row["extras"]["shift_accuracy"][place]

        low, high = interval(differences(lost, runs[1], runs[3]))
        assert (low > 0) == (pixels in (2, 4, 6)) and high > 0, pixels


def test_the_times_have_the_order_of_the_products_and_not_their_ratio(runs):
    products = [layer_table(small_cnn(CHANNELS[:blocks]), (3, 32, 32)).multiply_adds for blocks in (1, 2, 3)]
    seconds = [min(min(row["history"]["seconds"]) for row in runs[blocks].values()) for blocks in (1, 2, 3)]
    assert products == sorted(products) and seconds == sorted(seconds)
    assert products[1] / products[0] > 4 and seconds[1] / seconds[0] < 2


# ------------------------------------------------------------------------------------------------------------------------


def test_the_works_that_it_builds_on_lead_back_to_it():
    assert "simonyan2015very" in works_cited("depth")


WORDS = ["stride", "receptive field"]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/depth" in search(words)
