"""Pearson's chi-squared test of a table of counts: do its rows have one distribution?"""

import math

import numpy as np

_MOST_TERMS = 10_000
_PRECISE = 1e-15
_TINY = 1e-300


def chi_squared(counts: np.ndarray) -> tuple[float, float]:
    """chi^2 = sum (observed - expected)^2 / expected,  p = Q((r - 1)(c - 1) / 2, chi^2 / 2).

    Args:
        counts: (r, c), without rows and columns of zeros.

    Returns:
        chi^2 and p; 0 and 1 where there is one row or column.

    Pearson 1900. SciPy: chi2_contingency(counts, correction=False).
    """
    counts = counts.astype(np.float64)
    freedom = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    if freedom < 1:
        return 0.0, 1.0
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    statistic = float(((counts - expected) ** 2 / expected).sum())
    return statistic, upper_gamma(freedom / 2, statistic / 2)


def upper_gamma(a: float, x: float) -> float:
    """Q(a, x) = 1 / Gamma(a) integral_x^inf t^(a - 1) exp(-t) dt,  a > 0, x >= 0.

    Below a + 1 by the series of 1 - Q, above by Lentz's continued fraction.
    Press et al. 2007, Numerical Recipes, section 6.2. SciPy: special.gammaincc.
    """
    if x <= 0:
        return 1.0
    scale = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        for n in range(1, _MOST_TERMS):
            term *= x / (a + n)
            total += term
            if term < total * _PRECISE:
                break
        return max(1 - scale * total, 0.0)
    b = x + 1 - a
    c, d = 1 / _TINY, 1 / b
    fraction = d
    for n in range(1, _MOST_TERMS):
        b += 2
        factor = n * (a - n)
        d = 1 / (factor * d + b)
        c = b + factor / c
        fraction *= c * d
        if abs(c * d - 1) < _PRECISE:
            break
    return scale * fraction
