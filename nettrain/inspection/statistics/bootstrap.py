"""The bootstrap: how a metric varies when the rows that it was measured on are drawn anew."""

import math
from collections.abc import Iterator

import numpy as np

from nettrain import streams

RESAMPLES = 1000
ROUNDING = 1e-12  # relative; sums of equal numbers differ by less
BLOCK = 2**17  # numbers of samples x rows that are held at a time: 1 MB, which stays in cache


def samples(rows: int, resamples: int = RESAMPLES, seed: int = 0) -> Iterator[np.ndarray]:
    """Yields (n, b) counts, in blocks: how often each of n rows stands in each sample of n rows.

    Rows are drawn with replacement, all equally likely. Which ones depends on the seed alone: two
    statistics of equal seed see the same samples, and can be compared in pairs.
    """
    random = streams.generator(seed, "bootstrap")
    block = max(1, BLOCK // rows)
    for start in range(0, resamples, block):
        b = min(block, resamples - start)
        cells = random.integers(0, rows, (b, rows)) * b + np.arange(b)[:, np.newaxis]
        yield np.bincount(cells.ravel(), minlength=rows * b).reshape(rows, b).astype(np.float64)


def percentile_interval(values: np.ndarray, confidence: float = 0.95) -> tuple[float, float] | None:
    """The (1 - confidence)/2 and (1 + confidence)/2 quantiles of a statistic of the samples (b,).

    Efron & Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13. Every end is the value
    of some samples, or between two of them, so it never leaves the metric's range. BCa is more
    exact for skewed metrics but needs the metric of n further samples, each without one row, and
    fails where these are equal (every row right). scipy: bootstrap(method="percentile").

    Returns:
        None where all samples give one value, up to rounding: rows that are all right do not show
        how often other rows are wrong. Samples in which the statistic is undefined (NaN) are left
        out.
    """
    defined = values[~np.isnan(values)]
    if not len(defined):
        return None
    smallest, largest = float(defined.min()), float(defined.max())
    if math.isclose(smallest, largest, rel_tol=ROUNDING, abs_tol=0):
        return None
    # np.quantile does the same, but imports numpy.ma: 12 ms
    ends = np.array([(1 - confidence) / 2, (1 + confidence) / 2]) * (len(defined) - 1)
    low, high = np.interp(ends, np.arange(len(defined)), np.sort(defined))
    return float(low), float(high)


def difference_p_value(differences: np.ndarray) -> float | None:
    """p = min(1, 2 (1 + min(#{d <= 0}, #{d >= 0})) / (1 + b)), d: the differences of b samples.

    The two-sided test that belongs to the percentile interval: p < 0.05 where the 95 % interval of
    the difference leaves 0 out. It is never 0, as b samples cannot show less than 1/(1 + b)
    (Davison & Hinkley 1997, eq. 4.11).

    Returns:
        None where the difference is undefined (NaN) in every sample; others are left out.
    """
    defined = differences[~np.isnan(differences)]
    if not len(defined):
        return None
    rarer = min((defined <= 0).sum(), (defined >= 0).sum())
    return min(1.0, float(2 * (1 + rarer) / (1 + len(defined))))
