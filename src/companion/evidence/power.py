"""What so many runs can show: the smallest difference that a paired comparison finds four times out of five."""

import math

from companion.evidence import intervals


def smallest_seen(pairs, scatter):
    """The smallest mean difference that so many pairs show with 80 % power, where single differences scatter by `scatter`.

    By the noncentral t distribution, for the two-sided paired test at 5 %. Two pairs at least.
    """
    from scipy.optimize import brentq
    from scipy.stats import nct

    reach = intervals.quantile(pairs - 1)
    return (
        brentq(lambda shift: nct.sf(reach, pairs - 1, shift) - intervals.POWER, 0, 1_000) * scatter / math.sqrt(pairs)
    )
