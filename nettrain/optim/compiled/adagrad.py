"""Adagrad in one loop."""

import math
from typing import Any

import numpy as np

from nettrain.jit import jit


@jit
def loop(w: np.ndarray, g: np.ndarray, total: np.ndarray, lr: float, epsilon: float) -> None:
    """One step."""
    rate, least = w.dtype.type(lr), w.dtype.type(epsilon)
    for i in range(w.size):
        s = total[i] + g[i] * g[i]
        total[i] = s
        w[i] -= g[i] / (math.sqrt(s) + least) * rate


def numbers(rule: Any, slots: dict[str, np.ndarray], lr: float, t: int) -> tuple[float, ...]:
    """What the loop takes beside the vectors."""
    return lr, rule.epsilon
