"""Adagrad."""

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Positive
from nettrain.jit import Loop, jit
from nettrain.optim import Array, Rate, Rule, State


@dataclass(frozen=True, kw_only=True)
class Adagrad(Rule):
    """Adagrad. s += g^2;  w -= lr g / (sqrt(s) + epsilon).

    The sum of squared gradients only grows, so steps only shrink. Duchi, Hazan & Singer 2011,
    Figure 1 (diagonal). Keras starts the sum at 0.1 and adds epsilon inside the root.
    """

    lr: Rate = 0.01
    epsilon: Annotated[
        Positive, Field(description="added to the denominator: keeps the division finite")
    ] = 1e-10
    slots = ("sum",)

    def update(
        self, w: Array, g: Array, slots: State, work: list[Array], *, lr: float, t: int
    ) -> None:
        s, step = slots["sum"], work[0]
        s += np.multiply(g, g, out=step)
        np.sqrt(s, out=step)
        step += self.epsilon
        np.divide(g, step, out=step)
        step *= lr
        w -= step

    def loop(self) -> Loop | None:
        return _adagrad_loop

    def loop_numbers(self, slots: State, *, lr: float, t: int) -> tuple[float, ...]:
        return lr, self.epsilon


@jit
def _adagrad_loop(w: Array, g: Array, total: Array, lr: float, epsilon: float) -> None:
    """One step."""
    rate, least = w.dtype.type(lr), w.dtype.type(epsilon)
    for i in range(w.size):
        s = total[i] + g[i] * g[i]
        total[i] = s
        w[i] -= g[i] / (math.sqrt(s) + least) * rate
