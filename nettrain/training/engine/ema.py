"""The exponential moving average of the weights, which often predicts better than the last ones."""

import numpy as np

from nettrain.jit import jit
from nettrain.nn.vector import ParameterVector


class Average:
    """Exponential moving average. a_t = (1-d) / (1-d^t) sum over s <= t of d^(t-s) w_s.

    The initial weights have no part in it: it is Adam's bias correction (Kingma & Ba 2015, section
    3) for weights, and a_1 = w_1. Polyak & Juditsky 1992 for the idea. PyTorch's AveragedModel
    starts with w_1 too, but gives it the weight d^(t-1). The layers' state (running statistics) is
    not averaged.

    Args:
        decay: d, in [0, 1).
        vector: Holds the weights.
        compiled: Whether the average is updated by a compiled loop, bitwise identical.
    """

    def __init__(self, decay: float, vector: ParameterVector, *, compiled: bool = False) -> None:
        self.decay = decay
        self.vector = vector
        self.values = vector.values.copy()
        self._loop = _average_loop.compiled if compiled else None
        self._difference = np.empty_like(self.values[:0] if compiled else self.values)

    def count(self, t: int) -> int:
        """How many weights are averaged after t steps."""
        return max(t, 1)  # before the first it is the initial weights

    def update(self, t: int) -> None:
        """Include the weights of step t, counted from 1."""
        share = (1 - self.decay) / (1 - self.decay**t)
        if self._loop is not None:
            self._loop(self.values, self.vector.values, share)
            return
        np.subtract(self.vector.values, self.values, out=self._difference)
        self._difference *= share
        self.values += self._difference


@jit
def _average_loop(a: np.ndarray, w: np.ndarray, share: float) -> None:
    """a += share (w - a)."""
    weight = w.dtype.type(share)
    for i in range(w.size):
        a[i] += (w[i] - a[i]) * weight
