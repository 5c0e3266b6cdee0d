"""The corrected resampled t interval and test, for folds that share their training rows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

UNBOUNDED = (-math.inf, math.inf)


@dataclass(frozen=True)
class Estimate:
    """One metric over all folds.

    Attributes:
        mean: Of the folds' values.
        std: Their standard deviation, n - 1 in the denominator.
        interval: Of the mean.
    """

    mean: float
    std: float
    interval: tuple[float, float]


def estimate(
    scores: Sequence[float],
    test_share: float,
    confidence: float = 0.95,
    bounds: tuple[float, float] = UNBOUNDED,
) -> Estimate:
    """mean -+ t sqrt((1/J + n_test/n_train) s^2), t of J - 1 degrees of freedom, cut at `bounds`.

    Nadeau & Bengio 2003, "Inference for the Generalization Error", section 3: s^2/J alone takes the
    folds for independent, though any two share most of their training rows. What lies outside the
    metric's range cannot be its value, so cutting it off leaves the interval's coverage as it is.
    scikit-learn's cross_val_score gives no interval.

    Args:
        scores: J >= 2 values, one per fold.
        test_share: n_test/n_train.
        bounds: The least and the greatest value that the metric can have.
    """
    mean, std = _mean_and_std(scores)
    half = t_quantile((1 + confidence) / 2, len(scores) - 1) * _error(std, len(scores), test_share)
    lowest, highest = bounds
    return Estimate(mean, std, (max(mean - half, lowest), min(mean + half, highest)))


def corrected_t_test(differences: Sequence[float], test_share: float) -> float:
    """p = P(|T| >= |mean| / sqrt((1/J + n_test/n_train) s^2)), T of J - 1 degrees of freedom.

    The two-sided test that the mean difference of two models is 0. Nadeau & Bengio 2003, eq. 26;
    Bouckaert & Frank 2004 recommend it for repeated cross-validation.

    Args:
        differences: J >= 2 of them, one per fold on which both models were trained and scored.
        test_share: n_test/n_train.
    """
    mean, std = _mean_and_std(differences)
    if mean == 0:
        return 1.0
    if std == 0:
        return 0.0
    degrees = len(differences) - 1
    t = abs(mean) / _error(std, len(differences), test_share)
    return max(0.0, 1 - _central(math.atan(t / math.sqrt(degrees)), degrees))


def t_quantile(p: float, degrees: int) -> float:
    """The t with P(T <= t) = p, for Student's T with 1, 2, 3 ... degrees of freedom, 1/2 <= p < 1.

    The angle atan(t / sqrt(degrees)), in which the distribution is smooth and bounded, is halved
    down to the last bit.
    """
    low, high = 0.0, math.pi / 2
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if _central(middle, degrees) < 2 * p - 1 else (low, middle)
    return math.tan(low) * math.sqrt(degrees)


def _mean_and_std(values: Sequence[float]) -> tuple[float, float]:
    mean = math.fsum(values) / len(values)
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return mean, math.sqrt(variance)


def _error(std: float, count: int, test_share: float) -> float:
    return std * math.sqrt(1 / count + test_share)


def _central(angle: float, degrees: int) -> float:
    """P(|T| <= t) for angle = atan(t / sqrt(degrees)), a finite sum.

    Abramowitz & Stegun 26.7.3 (odd degrees), 26.7.4 (even).
    """
    cosine = math.cos(angle)
    odd = degrees % 2
    term = cosine if odd else 1.0
    total = term if degrees > 1 else 0.0
    for k in range(2 + odd, degrees - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    total *= math.sin(angle)
    return (angle + total) * 2 / math.pi if odd else total
