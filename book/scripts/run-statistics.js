/* The statistics of `companion.evidence.intervals`, for the page that explores the runs: where one further run would lie, and the mean. */
var runStatistics = (function () {
  "use strict";

  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  function variance(values) {
    const centre = mean(values);
    return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
  }

  /* Runs whose values are independent, two at least. */
  function scatter(values) {
    const n = values.length;
    const deviation = Math.sqrt(variance(values));
    return {
      centre: mean(values),
      reach: quantile(n - 1) * deviation * Math.sqrt(1 + 1 / n),
      meanReach: (quantile(n - 1) * deviation) / Math.sqrt(n),
      leastReach: NORMAL * deviation,
    };
  }

  /* One run of a further unit, such as a speaker: `groups` are the values of each unit's runs, two units of two runs at least. */
  function nestedScatter(groups) {
    const k = groups.length;
    const means = groups.map(mean);
    const between = variance(means);
    const withinFreedom = groups.flat().length - k;
    const within = groups.reduce((sum, group) => sum + (group.length - 1) * variance(group), 0) / withinFreedom;
    const share = 1 - groups.reduce((sum, group) => sum + 1 / group.length, 0) / k;
    const pieces = [[between * (1 + 1 / k), k - 1], [within * share, withinFreedom]];
    const total = pieces.reduce((sum, [piece]) => sum + piece, 0);
    const freedom = total ? total ** 2 / pieces.reduce((sum, [piece, f]) => sum + piece ** 2 / f, 0) : k - 1;
    return {
      centre: mean(means),
      reach: quantile(freedom) * Math.sqrt(total),
      meanReach: quantile(k - 1) * Math.sqrt(between / k),
      leastReach: NORMAL * Math.sqrt(between + within * share),
    };
  }

  /* "agrees", "differs" or "too wide to tell", of a report's number that was rounded by at most `half`. */
  function verdict(found, printed, half, precision) {
    const inside = (reach) => Math.abs(printed - found.centre) <= reach + half;
    if (!inside(found.reach)) return "differs";
    return found.reach > precision || !inside(found.leastReach) ? "too wide to tell" : "agrees";
  }

  const NORMAL = 1.959963984540054; // leaves 2.5 % of the normal distribution above it
  const quantiles = new Map();

  /* The quantile of Student's distribution that leaves 2.5 % above it, by halving. */
  function quantile(freedom) {
    if (!quantiles.has(freedom)) {
      let [low, high] = [0, 13]; // that of 1 degree of freedom is 12.7
      for (let step = 0; step < 60; step += 1) {
        const middle = (low + high) / 2;
        if (above(middle, freedom) > 0.025) low = middle;
        else high = middle;
      }
      quantiles.set(freedom, (low + high) / 2);
    }
    return quantiles.get(freedom);
  }

  /* The probability that Student's t lies above `t` > 0. */
  function above(t, freedom) {
    return beta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2;
  }

  /* The regularized incomplete beta function, by its continued fraction (Lentz), on the side where that converges fast. */
  function beta(x, a, b) {
    if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
    if (x > (a + 1) / (a + b + 2)) return 1 - beta(1 - x, b, a);
    const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
    const safe = (value) => (Math.abs(value) < 1e-300 ? 1e-300 : value);
    let c = 1;
    let d = 1 / safe(1 - ((a + b) * x) / (a + 1));
    let found = d;
    for (let m = 1; m < 500; m += 1) {
      const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
      const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
      for (const term of [even, odd]) {
        d = 1 / safe(1 + term * d);
        c = safe(1 + term / c);
        found *= d * c;
      }
      if (Math.abs(d * c - 1) < 1e-15) break;
    }
    return front * found;
  }

  /* Stirling's series, from 10 upwards; below it by the recurrence. */
  function logGamma(x) {
    if (x < 10) return logGamma(x + 1) - Math.log(x);
    const series = 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5) - 1 / (1680 * x ** 7);
    return (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series;
  }

  return { mean, scatter, nestedScatter, verdict, quantile };
})();
