"""Gradient descent with momentum."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Share
from nettrain.jit import Loop, jit
from nettrain.optim import Array, Rate, Rule, State


@dataclass(frozen=True, kw_only=True)
class Momentum(Rule):
    """Momentum. V = beta V + lr g;  w -= V.

    Polyak 1964 (the heavy ball method). The rate is inside V, as in Keras. PyTorch's
    V = beta V + g; w -= lr V makes the same steps while the rate is constant.
    """

    lr: Rate = 0.05
    beta: Annotated[
        Share, Field(description="momentum: fraction of the last step that is repeated")
    ] = 0.9
    slots = ("velocity",)

    def update(
        self, w: Array, g: Array, slots: State, work: list[Array], *, lr: float, t: int
    ) -> None:
        v = slots["velocity"]
        v *= self.beta
        v += np.multiply(g, lr, out=work[0])
        w -= v

    def loop(self) -> Loop | None:
        return _momentum_loop

    def loop_numbers(self, slots: State, *, lr: float, t: int) -> tuple[float, ...]:
        return lr, self.beta


@jit
def _momentum_loop(w: Array, g: Array, velocity: Array, lr: float, beta: float) -> None:
    """One step."""
    rate, kept = w.dtype.type(lr), w.dtype.type(beta)
    for i in range(w.size):
        v = velocity[i] * kept + g[i] * rate
        velocity[i] = v
        w[i] -= v
