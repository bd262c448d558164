"""The statistics behind the verdicts: where one further run would lie, how sure a difference is, how many runs would settle it.

The reasons are written out on the book's page "How the evidence is made".
"""

import math
from dataclasses import dataclass
from statistics import NormalDist, mean, stdev, variance

CONFIDENCE = 0.95
POWER = 0.8
MOST = 10_000  # runs: a comparison that would need more is not settled by runs


@dataclass(frozen=True)
class Scatter:
    """What runs say of one further run: its centre, standard deviation and standard error, and the degrees of freedom.

    `deviation` is that of single runs, over all that varies between them; `error` that of a further run around `centre`, which
    is itself known from few runs; `mean_error` that of the centre, with `mean_freedom`.
    """

    centre: float
    deviation: float
    error: float
    freedom: float
    mean_error: float
    mean_freedom: float

    @property
    def reach(self):
        """Half the width of the 95 % interval of one further run."""
        return quantile(self.freedom) * self.error

    @property
    def least_reach(self):
        """What `reach` would come down to with as many runs as one likes, if they scattered as these do."""
        return NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * self.deviation

    @property
    def mean_reach(self):
        return quantile(self.mean_freedom) * self.mean_error

    def p(self, distance):
        """The probability that a further run lies at least so far from the centre."""
        if not self.error:
            return float(distance <= 0)
        return two_sided_p(max(distance, 0.0) / self.error, self.freedom)


def scatter(values):
    """The scatter of single runs whose values are independent; two at least."""
    n, deviation = len(values), stdev(values)
    error, mean_error = deviation * math.sqrt(1 + 1 / n), deviation / math.sqrt(n)
    return Scatter(mean(values), deviation, error, n - 1, mean_error, n - 1)


def nested_scatter(groups):
    """The scatter of one run of a *further* unit, such as a speaker; `groups` holds the values of each unit's runs.

    A further run differs by its unit and by its seed. With the variance U of the k units' means, the pooled variance S within
    the units and the harmonic mean m of their numbers of runs, its variance around our mean is U(1 + 1/k) + S(1 - 1/m). The
    degrees of freedom are Satterthwaite's for that sum: those of the units where the units dominate. Two units at least, each
    with two runs at least.
    """
    k, sizes = len(groups), [len(group) for group in groups]
    means = [mean(group) for group in groups]
    between, within_freedom = variance(means), sum(sizes) - k
    within = sum((size - 1) * variance(group) for size, group in zip(sizes, groups, strict=True)) / within_freedom
    share = 1 - sum(1 / size for size in sizes) / k
    pieces = [(between * (1 + 1 / k), k - 1), (within * share, within_freedom)]
    total = sum(piece for piece, _ in pieces)
    freedom = total**2 / sum(piece**2 / f for piece, f in pieces) if total else k - 1
    deviation = math.sqrt(between + within * share)
    return Scatter(mean(means), deviation, math.sqrt(total), freedom, math.sqrt(between / k), k - 1)


def quantile(freedom):
    """The quantile of Student's distribution that leaves 2.5 % above it."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + CONFIDENCE) / 2))


def two_sided_p(distance, freedom):
    """The probability that Student's t lies at least so far from 0, on either side."""
    from scipy.special import stdtr

    return float(2 * stdtr(freedom, -distance))


def difference_p(differences, beyond=0.0):
    """Two-sided p of the paired t test that the mean difference is `beyond`."""
    n, distance = len(differences), abs(mean(differences) - beyond)
    error = stdev(differences) / math.sqrt(n)
    if not error:
        return float(not distance)
    return two_sided_p(distance / error, n - 1)


def holm(ps):
    """Holm's correction: the p of each of several tests, such that one wrong decision in all of them has 5 % at most."""
    corrected, highest = [0.0] * len(ps), 0.0
    for rank, k in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[k]))
        corrected[k] = highest
    return corrected


def correlation(first, second):
    """How the two values of a pair go together, -1 to 1; None with fewer than three pairs, or where one side never varies."""
    if len(first) < 3 or not (stdev(first) and stdev(second)):
        return None
    from statistics import correlation as pearson

    return pearson(first, second)


def pairs_needed(differences, margin=None):
    """How many pairs would decide the comparison with 80 % power, if mean and scatter stayed as they are; None above 10,000.

    Without a margin: to tell the mean from 0. With one: to place the whole 95 % interval within the margin where the mean lies
    within it, and beyond it where the mean does.
    """
    centre, spread = abs(mean(differences)), stdev(differences)
    if not spread:
        return len(differences)
    if margin is None or centre >= margin:
        effect = (centre - (margin or 0)) / spread
        return _least(lambda n: _power_beyond(n, effect))
    return _least(lambda n: _power_within(n, centre / spread, margin / spread))


def _least(power):
    """The smallest number of pairs with enough power; it grows with the number."""
    if power(MOST) < POWER:
        return None
    low, high = 1, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= POWER else (middle, high)
    return high


def _power_beyond(n, effect):
    from scipy.stats import nct

    return float(nct.sf(quantile(n - 1), n - 1, effect * math.sqrt(n)))


def _power_within(n, effect, margin):
    """The probability that the 95 % interval lies within ± margin; means and margins in standard deviations of one pair.

    The mean over the distribution of the sample's own standard deviation, at 200 of its quantiles.
    """
    import numpy as np
    from scipy.special import ndtr
    from scipy.stats import chi2

    spreads = np.sqrt(chi2.ppf((np.arange(200) + 0.5) / 200, n - 1) / (n - 1))
    room = (margin - quantile(n - 1) * spreads / math.sqrt(n)) * math.sqrt(n)
    shift = effect * math.sqrt(n)
    return float(np.mean(np.maximum(0, ndtr(room - shift) - ndtr(-room - shift))))
