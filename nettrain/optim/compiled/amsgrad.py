"""AMSGrad in one loop."""

import math

import numpy as np

from nettrain.jit import jit
from nettrain.optim.compiled.adam import numbers

__all__ = ["loop", "numbers"]


@jit
def loop(
    w: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray, u: np.ndarray,
    beta1: float, beta2: float, epsilon: float, rate: float, root: float,
) -> None:  # fmt: skip
    """One step. rate: lr / (1-b1^t); root: 1 / sqrt(1-b2^t)."""
    kind = w.dtype.type
    kept1, new1, kept2, new2 = kind(beta1), kind(1 - beta1), kind(beta2), kind(1 - beta2)
    least, scale, corrected = kind(epsilon), kind(rate), kind(root)
    for i in range(w.size):
        first = m[i] * kept1 + g[i] * new1
        second = v[i] * kept2 + g[i] * g[i] * new2
        highest = u[i] if second <= u[i] or u[i] != u[i] else second  # NaN stays
        m[i], v[i], u[i] = first, second, highest
        w[i] -= first / (math.sqrt(highest) * corrected + least) * scale
