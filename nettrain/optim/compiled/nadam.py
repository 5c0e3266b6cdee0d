"""Nadam in one loop."""

import math
from typing import Any

import numpy as np

from nettrain.jit import jit


@jit
def loop(
    w: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray,
    beta1: float, beta2: float, epsilon: float, rate: float, following: float, root: float,
) -> None:  # fmt: skip
    """One step. rate: of g; following: of m; root: 1 / sqrt(1-b2^t)."""
    kind = w.dtype.type
    kept1, new1, kept2, new2 = kind(beta1), kind(1 - beta1), kind(beta2), kind(1 - beta2)
    least, of_g, of_m, corrected = kind(epsilon), kind(rate), kind(following), kind(root)
    for i in range(w.size):
        first = m[i] * kept1 + g[i] * new1
        second = v[i] * kept2 + g[i] * g[i] * new2
        m[i], v[i] = first, second
        w[i] -= (g[i] * of_g + first * of_m) / (math.sqrt(second) * corrected + least)


def numbers(rule: Any, slots: dict[str, np.ndarray], lr: float, t: int) -> tuple[float, ...]:
    """What the loop takes beside the vectors."""
    product, following = float(slots["momentum_product"][0]), rule.momentum(t + 1)
    of_g, of_m = (
        lr * (1 - rule.momentum(t)) / (1 - product),
        lr * following / (1 - product * following),
    )
    return rule.beta1, rule.beta2, rule.epsilon, of_g, of_m, 1 / math.sqrt(1 - rule.beta2**t)
