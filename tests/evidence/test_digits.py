"""Digits: what is shown says something, at every magnitude."""

import itertools

import pytest

from companion.evidence import digits

MAGNITUDES = [mantissa * 10.0**power for power in range(-6, 7) for mantissa in (1.0, 1.4999, 5.0, 9.9951, 9.9999)]


def shown(text):
    return float(text.replace(",", ""))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.912, "0.912"),
        (1.0, "1.000"),
        (0.6666, "0.667"),
        (1.2041, "1.204"),
        (0.0123, "0.012"),
        (0.00034, "0.00034"),
        (-0.00049, "-0.00049"),
        (0.0, "0.000"),
        (-0.0, "0.000"),
        (23.675, "23.7"),
        (236.75, "237"),
        (1_234_567.8, "1,234,568"),
        (1e-6, "0.0000010"),
        (2.34e-12, "2.3e-12"),
        (7, "7.000"),
    ],
)
def test_a_measured_number_has_three_decimals_below_ten_and_else_its_significant_digits(value, text):
    assert digits.significant(value) == text


def test_a_plus_is_written_where_it_is_asked_for_and_zero_has_no_sign():
    assert [digits.significant(value, sign="+") for value in (0.5, -0.5, 0.0)] == ["+0.500", "-0.500", "0.000"]


def test_what_is_shown_is_zero_exactly_when_the_value_is_and_close_to_it():
    for value in [0.0, *MAGNITUDES, *(-size for size in MAGNITUDES)]:
        assert shown(digits.significant(value)) == pytest.approx(value, rel=0.05, abs=0)


def test_the_ends_of_an_interval_on_one_side_of_zero_are_never_shown_as_zero():
    for low, high in itertools.combinations(sorted(MAGNITUDES), 2):
        texts = digits.together(low, high)
        assert shown(texts[0]) > 0 and shown(texts[1]) > 0
        assert digits.together(-low, -high) == tuple(f"-{text}" for text in texts)


def test_ends_that_differ_are_shown_as_different_and_the_width_keeps_its_first_digit():
    for low, width in itertools.product(MAGNITUDES, repeat=2):
        if width > 1e-3 * low:
            first, second = map(shown, digits.together(low, low + width))
            assert second - first == pytest.approx(width, rel=0.11)


def test_numbers_side_by_side_have_the_same_number_of_decimals():
    assert digits.together(0.00034, 0.00031, 0.00038) == ("0.000340", "0.000310", "0.000380")
    assert digits.together(0.651, 0.8) == ("0.651", "0.800")
    assert digits.together(23.675, 19.2, 28.15) == ("23.7", "19.2", "28.1")
    assert digits.together(24.01, 24.05) == ("24.010", "24.050")
    assert digits.together(0.5, 0.5) == ("0.500", "0.500")
    assert digits.together(12_000.0, 13_000.5) == ("12,000", "13,000")


def test_an_interval_around_zero_has_the_digits_of_its_width():
    assert digits.together(0.0002, -0.0041, 0.005, sign="+") == ("+0.0002", "-0.0041", "+0.0050")
    assert digits.together(-1e-9, -0.02, 0.02, sign="+") == ("0.000", "-0.020", "+0.020")


def test_a_difference_made_by_rounding_alone_gets_no_further_digits():
    assert digits.together(0.3 - 0.2, 0.4 - 0.3) == ("0.100", "0.100")


def test_reported_numbers_keep_their_digits_and_lists_have_commas():
    assert digits.number([1000, 2]) == "1,000, 2"
    assert digits.number(None) == ""
    assert digits.number(25_000, about=True) == "≈ 25,000"
    assert digits.number([0.000012, 3]) == "0.000012, 3"
