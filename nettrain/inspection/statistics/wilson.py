"""Wilson's score interval of a share."""

import math
from statistics import NormalDist


def wilson_interval(hits: int, rows: int, confidence: float = 0.95) -> tuple[float, float]:
    """(p + z^2/2n -+ z sqrt(p (1 - p)/n + z^2/4n^2)) / (1 + z^2/n),  p = hits/n, n = rows.

    z is the (1 + confidence)/2 quantile of the standard normal distribution. The interval holds the
    shares that a score test does not reject. Unlike p -+ z sqrt(p (1 - p)/n) it stays within [0, 1]
    and has a width where every row is right.

    Wilson 1927, "Probable inference, the law of succession, and statistical inference"; no
    continuity correction. statsmodels: proportion_confint(hits, rows, method="wilson").

    Raises:
        ValueError: No rows, or hits outside 0 ... rows.
    """
    if not 0 <= hits <= rows or rows == 0:
        raise ValueError(f"{hits} hits of {rows} rows are no share")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = hits / rows
    center = share + z**2 / (2 * rows)
    half = z * math.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    scale = 1 + z**2 / rows
    low = 0.0 if hits == 0 else (center - half) / scale
    high = 1.0 if hits == rows else (center + half) / scale
    return low, high
