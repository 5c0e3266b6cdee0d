"""Nesterov's accelerated gradient."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Share
from nettrain.jit import Loop, jit
from nettrain.optim import Array, Rate, Rule, State


@dataclass(frozen=True, kw_only=True)
class Nesterov(Rule):
    """Nesterov's accelerated gradient. V = beta V + lr g;  w -= beta V + lr g.

    Momentum that looks one step ahead. Nesterov 1983; Sutskever et al. 2013, eq. 7, for this form
    with the gradient at w. The rate is inside V, as in Keras; PyTorch's SGD(nesterov=True) makes
    the same steps while the rate is constant.
    """

    lr: Rate = 0.05
    beta: Annotated[
        Share, Field(description="momentum: fraction of the last step that is repeated")
    ] = 0.9
    slots = ("velocity",)

    def update(
        self, w: Array, g: Array, slots: State, work: list[Array], *, lr: float, t: int
    ) -> None:
        v, step = slots["velocity"], work[0]
        g *= lr
        v *= self.beta
        v += g
        np.multiply(v, self.beta, out=step)
        step += g
        w -= step

    def loop(self) -> Loop | None:
        return _nesterov_loop

    def loop_numbers(self, slots: State, *, lr: float, t: int) -> tuple[float, ...]:
        return lr, self.beta


@jit
def _nesterov_loop(w: Array, g: Array, velocity: Array, lr: float, beta: float) -> None:
    """One step."""
    rate, kept = w.dtype.type(lr), w.dtype.type(beta)
    for i in range(w.size):
        step = g[i] * rate
        v = velocity[i] * kept + step
        velocity[i] = v
        w[i] -= v * kept + step
