"""Sgd in one loop."""

from typing import Any

import numpy as np

from nettrain.jit import jit


@jit
def loop(w: np.ndarray, g: np.ndarray, lr: float) -> None:
    """One step."""
    rate = w.dtype.type(lr)
    for i in range(w.size):
        w[i] -= g[i] * rate


def numbers(rule: Any, slots: dict[str, np.ndarray], lr: float, t: int) -> tuple[float, ...]:
    """What the loop takes beside the vectors."""
    return (lr,)
