"""Quantiles of numbers, and knots at quantiles that ties leave strictly increasing."""

import numpy as np


def evenly_spaced_quantiles(ordered: np.ndarray, q: int) -> np.ndarray:
    """Returns q evenly spaced quantiles of sorted numbers, which never fall.

    The positions i (n - 1) / (q - 1) are computed in integers. np.quantile rounds them, and so may
    return a number that lies above a run of equal values instead of the value itself.
    """
    position, remainder = np.divmod(np.arange(q) * (len(ordered) - 1), q - 1)
    lower, upper = ordered[position], ordered[np.minimum(position + 1, len(ordered) - 1)]
    between = lower + (upper - lower) * (remainder / (q - 1))
    return np.maximum.accumulate(np.clip(between, lower, upper))


def quantile_knots(x: np.ndarray, bins: int) -> np.ndarray:
    """Knots (bins + 1,) at the quantiles 0, 1/bins ... 1, each tied value capped at one bin.

    Plain quantiles put most knots on one value where most rows have it (a gain that is 0 in 92 % of
    the rows). Here a value counts at most c times, with the largest c for which the rows that then
    count, sum_v min(count_v, c), fill `bins` bins of c: no value fills more than a bin, so no two
    knots are equal. Without ties these are the plain quantiles.

    Args:
        x: Numbers (n,) without gaps, of more than `bins` distinct values.
        bins: At least 1.
    """
    values, counts = np.unique(x, return_counts=True)
    low, high = 1, max(len(x) // bins, 1)
    while low < high:  # bisection: the sum is concave in c, so it falls below bins c but once
        cap = (low + high + 1) // 2
        low, high = (cap, high) if np.minimum(counts, cap).sum() >= bins * cap else (low, cap - 1)
    capped = np.repeat(values, np.minimum(counts, low))
    return np.unique(evenly_spaced_quantiles(capped, bins + 1))
