"""Lion in one loop."""

from typing import Any

import numpy as np

from nettrain.jit import jit


@jit
def loop(
    w: np.ndarray, g: np.ndarray, m: np.ndarray, lr: float, beta1: float, beta2: float
) -> None:
    """One step."""
    kind = w.dtype.type
    kept1, new1, kept2, new2 = kind(beta1), kind(1 - beta1), kind(beta2), kind(1 - beta2)
    rate, one, zero = kind(lr), kind(1), kind(0)
    for i in range(w.size):
        mean = m[i] * kept1 + g[i] * new1
        sign = one if mean > zero else (-one if mean < zero else mean)  # 0 or NaN
        w[i] -= sign * rate
        m[i] = m[i] * kept2 + g[i] * new2


def numbers(rule: Any, slots: dict[str, np.ndarray], lr: float, t: int) -> tuple[float, ...]:
    """What the loop takes beside the vectors."""
    return lr, rule.beta1, rule.beta2
