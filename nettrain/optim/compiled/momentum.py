"""Momentum in one loop."""

from typing import Any

import numpy as np

from nettrain.jit import jit


@jit
def loop(w: np.ndarray, g: np.ndarray, velocity: np.ndarray, lr: float, beta: float) -> None:
    """One step."""
    rate, kept = w.dtype.type(lr), w.dtype.type(beta)
    for i in range(w.size):
        v = velocity[i] * kept + g[i] * rate
        velocity[i] = v
        w[i] -= v


def numbers(rule: Any, slots: dict[str, np.ndarray], lr: float, t: int) -> tuple[float, ...]:
    """What the loop takes beside the vectors."""
    return lr, rule.beta
