"""Numbers as text: the one place that decides how many digits are shown."""

import math

LEAST = 3  # decimals of a number below 10: 0.912, 1.204
FINEST = 8  # decimals; numbers that need more are written as 1.2e-11


def number(value, about=False):
    """A reported or measured number as text: thousands separated, digits as printed, lists by commas."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(number(v, about) for v in value)
    if isinstance(value, float):
        return ("≈ " if about else "") + significant(value)
    return ("≈ " if about else "") + (f"{value:,}" if isinstance(value, int) else str(value))


def significant(value, sign=""):
    """A measured number with the digits that say something: 0.912, 23.7, 0.00034; `sign="+"` writes + too.

    Three decimals below 10, and more where two digits would not be left; three digits from 10 on. Only 0 is shown as 0.
    """
    return together(value, sign=sign)[0]


def together(*values, sign=""):
    """Numbers that are read side by side, such as a mean and the ends of its interval, with the same number of decimals.

    There are enough decimals for two digits of the distance between the smallest and the largest. When all lie on one side
    of 0, none is shown as 0. What is 0 at this precision has no sign. Returns a tuple of texts.
    """
    places = _decimals([float(value) for value in values])
    style = f".{places}f" if places <= FINEST else ".1e"
    return tuple(_text(float(value), style, sign) for value in values)


def interval_text(low, high):
    """The two ends of an interval as text."""
    return " to ".join(together(low, high))


def _text(value, style, sign):
    text = format(value, f"{sign},{style}")
    return text if float(text.replace(",", "")) else text.lstrip("+-")


def _decimals(values):
    """How many decimals values need that stand side by side."""
    sizes = [abs(value) for value in values if value and math.isfinite(value)]
    if not sizes:
        return LEAST
    largest, width = _exponent(max(sizes)), max(values) - min(values)
    needed = [0, LEAST if largest < 1 else 2 - largest]
    if len(values) == 1:
        needed.append(1 - largest)
    elif max(sizes) * 1e-9 < width < math.inf:  # less is the rounding of the machine
        needed.append(min(1 - _exponent(width), 5 - largest))  # records keep six digits
    if len(sizes) == len(values) and (min(values) > 0 or max(values) < 0):
        needed.append(-_exponent(min(sizes)))
    return max(needed)


def _exponent(size):
    """The power of ten of the first digit, once rounded to three: 0 for 9.99, 1 for 9.996."""
    return int(f"{size:.2e}".partition("e")[2])
