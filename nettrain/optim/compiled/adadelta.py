"""Adadelta in one loop."""

import math
from typing import Any

import numpy as np

from nettrain.jit import jit


@jit
def loop(
    w: np.ndarray,
    g: np.ndarray,
    v: np.ndarray,
    u: np.ndarray,
    lr: float,
    rho: float,
    epsilon: float,
) -> None:
    """One step."""
    kind = w.dtype.type
    rate, kept, new, least = kind(lr), kind(rho), kind(1 - rho), kind(epsilon)
    for i in range(w.size):
        second = v[i] * kept + g[i] * g[i] * new
        v[i] = second
        step = g[i] / math.sqrt(second + least) * math.sqrt(u[i] + least)
        u[i] = u[i] * kept + step * step * new
        w[i] -= step * rate


def numbers(rule: Any, slots: dict[str, np.ndarray], lr: float, t: int) -> tuple[float, ...]:
    """What the loop takes beside the vectors."""
    return lr, rule.rho, rule.epsilon
