"""Stochastic gradient descent."""

from dataclasses import dataclass

import numpy as np

from nettrain.jit import Loop, jit
from nettrain.optim import Array, Rate, Rule, State


@dataclass(frozen=True, kw_only=True)
class Sgd(Rule):
    """Stochastic gradient descent. w -= lr g.

    Robbins & Monro 1951.
    """

    lr: Rate = 0.1

    def update(
        self, w: Array, g: Array, slots: State, work: list[Array], *, lr: float, t: int
    ) -> None:
        w -= np.multiply(g, lr, out=work[0])

    def loop(self) -> Loop | None:
        return _sgd_loop

    def loop_numbers(self, slots: State, *, lr: float, t: int) -> tuple[float, ...]:
        return (lr,)


@jit
def _sgd_loop(w: Array, g: Array, lr: float) -> None:
    """One step."""
    rate = w.dtype.type(lr)
    for i in range(w.size):
        w[i] -= g[i] * rate
