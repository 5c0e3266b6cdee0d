"""The two-sample test of Kolmogorov and Smirnov: do two samples come from one distribution?"""

import math
from collections.abc import Iterable

import numpy as np

_TERMS = 100
_NEGLIGIBLE = 1e-16


def kolmogorov_smirnov(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """D = max_x |F_a(x) - F_b(x)|,  p = Q(sqrt(n m / (n + m)) D).

    p is asymptotic; where values repeat, as in columns of few values, it is too large rather than
    too small.

    Args:
        a: (n,) numbers, none missing.
        b: (m,) numbers, none missing.

    Returns:
        D and p.

    Smirnov 1939. SciPy: ks_2samp(a, b).statistic, special.kolmogorov.
    """
    values = np.concatenate([a, b])
    below_a = np.searchsorted(np.sort(a), values, side="right") / len(a)
    below_b = np.searchsorted(np.sort(b), values, side="right") / len(b)
    distance = float(np.abs(below_a - below_b).max())
    return distance, kolmogorov(math.sqrt(len(a) * len(b) / (len(a) + len(b))) * distance)


def kolmogorov(x: float) -> float:
    """Q(x) = 2 sum_{j >= 1} (-1)^(j - 1) exp(-2 j^2 x^2), the survival function.

    Below x = 1 the other form of the same function converges in a few terms:
    Q(x) = 1 - sqrt(2 pi) / x sum_{j >= 1} exp(-(2 j - 1)^2 pi^2 / (8 x^2)).
    """
    if x <= 0:
        return 1.0
    if x < 1:
        exponent = -(math.pi**2) / (8 * x * x)
        terms = (math.exp((2 * j - 1) ** 2 * exponent) for j in range(1, _TERMS))
        return 1 - math.sqrt(2 * math.pi) / x * _total(terms)
    alternating = ((-1) ** (j - 1) * math.exp(-2 * (j * x) ** 2) for j in range(1, _TERMS))
    return 2 * _total(alternating)


def _total(terms: Iterable[float]) -> float:
    total = 0.0
    for term in terms:
        total += term
        if abs(term) <= _NEGLIGIBLE * abs(total):
            break
    return total
