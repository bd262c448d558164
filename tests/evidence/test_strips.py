"""The pictures of the cards: where everything stands, computed once more from the numbers by a second reader."""

import re

import pytest
from reading import soup

from companion.evidence import strips, table
from companion.evidence.verdicts import Part


def read(part, reported=None, text=""):
    """The strip as a page has it."""
    macro = table.environment().get_template("strips.html").module.strip
    return soup(str(macro(strips.drawn(part, reported, text)))).svg


def percent(text):
    assert text.endswith("%")
    return float(text[:-1])


def ruler(svg):
    """A function from a value to its place, by nothing but the two labelled ends of the axis."""
    ends = [label for label in svg.select(".strip-number") if "strip-middle" not in label["class"]]
    ticks = [line for line in svg.select("line.strip-axis") if line["x1"] == line["x2"]]
    (low, high) = (float(label.text.replace("−", "-").replace(",", "")) for label in ends)
    left, right = (percent(tick["x1"]) for tick in ticks)
    assert [percent(label["x"]) for label in ends] == [left, right] and left < right and low < high
    return lambda value: left + (right - left) * (value - low) / (high - low)


METRICS = [
    (0.71, (0.674, 0.69, 0.66), 0.6747, (0.602, 0.747), (0, 1)),
    (0.66, (0.683, 0.68), 0.6815, (0.662, 0.701), (0, 1)),
    (7, (14.0, 15.0, 19.0), 16.0, (9.1, 20.0), (1, 20)),
    (1.21, (1.05, 1.9), 1.466, (1.053, 1.879), (0, None)),
    (25000, (24000.0, 26000.0), 25000.0, (20123.0, 29877.0), None),
    (0.5, (0.5, 0.5), 0.5, (0.5, 0.5), None),
]


@pytest.mark.parametrize(("reported", "values", "mean", "interval", "limits"), METRICS)
def test_the_diamond_the_mean_the_bar_and_the_runs_stand_where_the_axis_says(reported, values, mean, interval, limits):
    part = Part("", "agrees", reported=reported, measured=mean, interval=interval, n=3, values=values, limits=limits)
    svg = read(part, reported, str(reported))
    at = ruler(svg)
    near = {"abs": 0.011}
    assert percent(svg.select_one(".strip-report")["x"]) == pytest.approx(at(reported), **near)
    assert percent(svg.select_one(".strip-mean")["x1"]) == pytest.approx(at(mean), **near)
    assert [percent(dot["cx"]) for dot in svg.select(".strip-run")] == pytest.approx(list(map(at, values)), **near)
    bar = svg.select_one(".strip-bar")
    assert percent(bar["x"]) == pytest.approx(at(interval[0]), **near)
    assert percent(bar["x"]) + percent(bar["width"]) == pytest.approx(at(interval[1]), abs=0.03)
    places = [
        percent(tag[name]) for tag in svg.find_all(True) for name in ("x", "x1", "x2", "cx") if "%" in tag.get(name, "")
    ]
    assert min(places) >= 0 and max(places) <= 100, "nothing stands outside of the box"
    assert svg.select_one(".strip-label").text == f"report {reported}"


def test_an_axis_does_not_go_beyond_what_is_possible():
    assert strips.scale([0.85, 0.93, 1.0], (0, 1)).ends[1] == "1.00"
    assert strips.scale([1.5, 20], (1, 20)).ends == ("1", "20")
    assert strips.scale([0.02, 1.31], (0, None)).low == 0


@pytest.mark.parametrize("values", [(0.0, 0.0), (-0.3, 1e-7), (1e-9, 3e-9), (-123456.0, 7.0), (0.1, 0.2), (5, 5)])
def test_the_ends_are_round_numbers_that_hold_all_values(values):
    axis = strips.scale(values)
    assert axis.low <= min(values) and max(values) <= axis.high and axis.low < axis.high
    low, high = (float(text.replace("−", "-").replace(",", "")) for text in axis.ends)
    assert (low, high) == pytest.approx((axis.low, axis.high)), "what is written is where the axis ends"
    assert axis.high - axis.low <= 4 * (max(values) - min(values) or abs(values[0]) or 1)


@pytest.mark.parametrize(
    ("expected", "margin", "interval", "status", "inside"),
    [
        ("smaller", None, (-0.3, -0.1), "holds", True),
        ("smaller", None, (-0.3, 0.1), "undecided", False),
        ("larger", None, (0.1, 0.3), "holds", True),
        ("larger", None, (-0.3, -0.1), "reversed", False),
        ("about the same (within 0.02)", 0.02, (-0.01, 0.015), "holds", True),
        ("about the same (within 0.02)", 0.02, (-0.04, 0.015), "undecided", False),
    ],
)
def test_an_order_holds_where_the_bar_lies_within_the_zone_that_the_report_states(
    expected, margin, interval, status, inside
):
    part = Part(
        "x", status, expected, measured=sum(interval) / 2, interval=interval, n=2, values=interval, margin=margin
    )
    svg = read(part)
    at = ruler(svg)
    assert percent(svg.select_one(".strip-zero")["x1"]) == pytest.approx(at(0), abs=0.011)
    bar, zone = (
        (percent(r["x"]), percent(r["x"]) + percent(r["width"])) for r in svg.select(".strip-bar, .strip-zone")[::-1]
    )
    assert (zone[0] <= bar[0] and bar[1] <= zone[1] + 0.03) == inside
    if margin:
        assert zone == pytest.approx((at(-margin), at(margin)), abs=0.03)
    words = f"report: {expected}".replace(" (within 0.02)", "")
    assert svg.select_one(".strip-label").text == words and svg.select_one(".strip-report") is None


def test_the_picture_of_too_few_runs_is_no_picture():
    assert read(Part("x", "not yet tested", n=1), 0.5, "0.5") is None


def test_a_picture_needs_no_style_sheet_to_be_seen_on_white_and_on_dark():
    part = Part("", "differs", reported=0.5, measured=0.7, interval=(0.6, 0.8), n=2, values=(0.68, 0.72))
    svg = read(part, 0.5, "0.5")
    assert svg["fill"] == "currentColor"
    colours = {tag[name] for tag in svg.find_all(True) for name in ("fill", "stroke") if tag.get(name)}
    own = colours - {"currentColor"}
    assert len(own) == 1

    def light(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    for accent in {*strips.ACCENTS.values(), strips.OTHER_ACCENT, *own}:
        assert re.fullmatch("#[0-9a-f]{6}", accent)
        for paper in ("#ffffff", "#1e1e1e"):
            low, high = sorted((light(accent), light(paper)))
            assert (high + 0.05) / (low + 0.05) >= 3, (accent, paper)
