"""The penalties on weights, l1 and l2: value, and gradient of any block of parameters."""

import numpy as np

from nettrain.config.run_config import Regularization
from nettrain.jit import jit
from nettrain.nn.vector import ParameterVector
from nettrain.schedules import RunLength, Scheduled, number_at


class Penalty:
    """l1 sum |theta| + l2 sum theta^2 over the decayed parameters of a vector.

    Args:
        vector: Holds the parameters.
        regularization: l1 and l2.
        compiled: Whether the gradient is added by a compiled loop, bitwise identical.
        length: Of the run, for factors that follow a schedule; None: they keep their base values.

    Attributes:
        l1, l2: The factors in the step last sought, at first in step 0.
    """

    def __init__(
        self,
        vector: ParameterVector,
        regularization: Regularization,
        *,
        compiled: bool = False,
        length: RunLength | None = None,
    ) -> None:
        self.vector = vector
        self._loop = _penalty_loop.compiled if compiled else None
        self._given, self._length = (regularization.l1, regularization.l2), length
        self._scheduled = any(isinstance(number, Scheduled) for number in self._given)
        self._take(0)

    def seek(self, step: int) -> None:
        """Take the factors of a step, counted from 0."""
        if self._scheduled:
            self._take(step)

    def _take(self, step: int) -> None:
        self.l1, self.l2 = (number_at(number, step, self._length) for number in self._given)

    def __bool__(self) -> bool:
        return bool(self.l1 or self.l2)

    def value(self) -> float:
        """The penalty of the present weights, summed in float64."""
        weights = self.vector.values[self.vector.decayed]
        return (self.l1 * float(np.abs(weights).sum(dtype=np.float64)) if self.l1 else 0.0) + (
            self.l2 * float(np.square(weights).sum(dtype=np.float64)) if self.l2 else 0.0
        )

    def add_gradient(self, w: np.ndarray, g: np.ndarray, work: np.ndarray) -> None:
        """g += 2 l2 w + l1 sign(w), for decayed parameters w; work may be overwritten."""
        if self._loop is not None:
            self._loop(g, w, self.l1, self.l2)
            return
        if self.l2:
            g += np.multiply(w, 2 * self.l2, out=work)
        if self.l1:
            np.sign(w, out=work)
            work *= self.l1
            g += work


@jit
def _penalty_loop(g: np.ndarray, w: np.ndarray, l1: float, l2: float) -> None:
    """g += 2 l2 w + l1 sign(w)."""
    kind = w.dtype.type
    zero, rate, size = kind(0), kind(2 * l2), kind(l1)
    for i in range(w.size):
        shrunk = g[i] + w[i] * rate if rate != zero else g[i]  # 0 times infinity would be NaN
        sign = size if w[i] > zero else (-size if w[i] < zero else w[i])  # 0 or NaN
        g[i] = shrunk + sign
