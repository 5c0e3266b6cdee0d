"""McNemar's exact test: are two models right equally often? And by how much they differ."""

import math
from collections.abc import Callable

import numpy as np


def mcnemar_exact(only_first: int, only_second: int) -> float:
    """p = min(1, 2 sum_{i <= min(b, c)} C(b + c, i) / 2^(b + c)).

    b (`only_first`) rows are right by the first model alone, c (`only_second`) by the second alone.
    Rows on which both are right or both wrong say nothing about the difference. If the models are
    equally good, b is binomial with b + c trials and probability 1/2; p is two-sided. The sum is
    exact, in integers.

    McNemar 1947; Dietterich 1998 recommends it for classifiers tested on one set of rows.
    statsmodels: mcnemar(table, exact=True).
    """
    trials = only_first + only_second
    term = total = 1
    for i in range(min(only_first, only_second)):
        term = term * (trials - i) // (i + 1)
        total += term
    return min(1.0, 2 * total / 2**trials)


def mcnemar_interval(
    only_first: int, only_second: int, rows: int, confidence: float = 0.95
) -> tuple[float, float] | None:
    """(2 q - 1) (b + c) / n at both ends of q: how much the share of right rows rises.

    q is the probability that the second model is the right one where only one of them is; its
    interval is Clopper & Pearson's (1934), from c successes in b + c trials. Given how many rows
    the models disagree on, it belongs to the exact test: it leaves 0 out where p < 1 - confidence.

    Returns:
        None where the models disagree on no row.
    """
    trials = only_first + only_second
    if trials == 0:
        return None
    low, high = clopper_pearson(only_second, trials, confidence)
    return (2 * low - 1) * trials / rows, (2 * high - 1) * trials / rows


def clopper_pearson(hits: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """The ends q at which P(X >= hits) and P(X <= hits) are (1 - confidence)/2, X ~ Bin(trials, q).

    statsmodels: proportion_confint(hits, trials, method="beta").
    """
    tail = (1 - confidence) / 2
    i = np.arange(trials + 1)
    log_factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, trials + 1)))])
    log_choose = log_factorials[-1] - log_factorials - log_factorials[::-1]

    def at_most(count: int, q: float) -> float:
        terms = log_choose + i * math.log(q) + (trials - i) * math.log1p(-q)
        return float(np.exp(terms[: count + 1]).sum())

    low = 0.0 if hits == 0 else _root(lambda q: 1 - tail - at_most(hits - 1, q))
    high = 1.0 if hits == trials else _root(lambda q: tail - at_most(hits, q))
    return low, high


def _root(rising: Callable[[float], float]) -> float:
    """Where a rising function of (0, 1) is 0, by bisection down to the last bit."""
    low, high = 0.0, 1.0
    while low < (middle := (low + high) / 2) < high:
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return low
