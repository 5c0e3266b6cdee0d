"""Compiled loops of the update beside the rule's own: to the bits of NumPy. Whoever imports this imports Numba."""

import numpy as np

from nettrain.jit import jit


@jit
def penalize(g: np.ndarray, w: np.ndarray, l1: float, l2: float) -> None:
    """g += 2 l2 w + l1 sign(w)."""
    kind = w.dtype.type
    zero, rate, size = kind(0), kind(2 * l2), kind(l1)
    for i in range(w.size):
        found = g[i] + w[i] * rate
        sign = size if w[i] > zero else (-size if w[i] < zero else w[i])  # 0 or NaN
        g[i] = found + sign if size != zero else found


@jit
def average(a: np.ndarray, w: np.ndarray, share: float) -> None:
    """a += share (w - a)."""
    part = w.dtype.type(share)
    for i in range(w.size):
        a[i] += (w[i] - a[i]) * part
