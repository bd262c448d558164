"""What one step of SGD does to a weight under a squared penalty, before any data pull at it."""

import math


def shrink_factor(learning_rate, coefficient):
    """By what one step of plain SGD multiplies a weight under `l2_penalty(..., coefficient)`: 1 - 2 · rate · coefficient.

    Raises ValueError where the factor is not above 0: the weights would change their sign with each step, or grow, whatever
    the data say.
    """
    for name, value in (("learning rate", learning_rate), ("coefficient of a penalty", coefficient)):
        if not (value >= 0 and math.isfinite(value)):
            raise ValueError(f"the {name} is a number from 0 up, not {value}")
    factor = 1 - 2 * learning_rate * coefficient
    if factor <= 0:
        raise ValueError(
            f"a step with the learning rate {learning_rate:g} would multiply each weight by {factor:g} for its penalty "
            f"({coefficient:g}) alone: twice their product must be below 1"
        )
    return factor
