"""How far a cross-validated mean can be trusted: an interval that allows for folds that share their training rows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """Of one metric over all folds: mean, standard deviation (n - 1 below), and the interval of the mean."""

    mean: float
    std: float
    interval: tuple[float, float]


def estimate(scores: Sequence[float], test_share: float, confidence: float = 0.95) -> Estimate:
    """mean ± t sqrt((1/J + n_test/n_train) s^2), t of J - 1 degrees.  scores: J >= 2 of them, one a fold; test_share: n_test/n_train.

    Nadeau & Bengio 2003, "Inference for the Generalization Error", section 3: s^2/J alone takes the folds for independent, though
    any two share most of their training rows. scikit-learn's cross_val_score gives no interval.
    """
    count = len(scores)
    mean = math.fsum(scores) / count
    variance = math.fsum((score - mean) ** 2 for score in scores) / (count - 1)
    half = t_quantile((1 + confidence) / 2, count - 1) * math.sqrt(
        (1 / count + test_share) * variance
    )
    return Estimate(mean, math.sqrt(variance), (mean - half, mean + half))


def t_quantile(p: float, degrees: int) -> float:
    """The t with P(T <= t) = p, for Student's T with 1, 2, 3 ... degrees of freedom and 1/2 <= p < 1.

    The angle atan(t / sqrt(degrees)), in which the distribution is smooth and bounded, is halved down to the last bit.
    """
    low, high = 0.0, math.pi / 2
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if _central(middle, degrees) < 2 * p - 1 else (low, middle)
    return math.tan(low) * math.sqrt(degrees)


def _central(angle: float, degrees: int) -> float:
    """P(|T| <= t) for angle = atan(t / sqrt(degrees)): a finite sum.  Abramowitz & Stegun 26.7.3 (odd degrees), 26.7.4 (even)."""
    cosine = math.cos(angle)
    odd = degrees % 2
    term = cosine if odd else 1.0
    total = term if degrees > 1 else 0.0
    for k in range(2 + odd, degrees - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    total *= math.sin(angle)
    return (angle + total) * 2 / math.pi if odd else total
