"""Holm's correction: several tests at once, and still a 5 % chance of any false alarm."""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """p'_(i) = max_{j <= i} min(1, (m - j + 1) p_(j)),  p_(1) <= ... <= p_(m).

    The values come back in the given order. Rejecting where p' <= 0.05 keeps the probability of one
    or more false rejections among all m tests below 5 %, whatever the dependence between them.
    Bonferroni's m p rejects no more.

    Holm 1979, "A simple sequentially rejective multiple test procedure".
    statsmodels: multipletests(p, method="holm").
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
