"""RMSprop."""

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Positive, Share
from nettrain.jit import Loop, jit
from nettrain.optim import Array, Rate, Rule, State


@dataclass(frozen=True, kw_only=True)
class Rmsprop(Rule):
    """RMSprop. v = rho v + (1-rho) g^2;  w -= lr g / (sqrt(v) + epsilon).

    Tieleman & Hinton 2012, lecture 6.5. PyTorch's RMSprop calls rho alpha and has 0.99; Keras adds
    epsilon inside the root.
    """

    lr: Rate = 1e-3
    rho: Annotated[Share, Field(description="decay rate of the mean squared gradient")] = 0.9
    epsilon: Annotated[
        Positive, Field(description="added to the denominator: keeps the division finite")
    ] = 1e-8
    slots = ("v",)

    def update(
        self, w: Array, g: Array, slots: State, work: list[Array], *, lr: float, t: int
    ) -> None:
        v, step = slots["v"], work[0]
        v *= self.rho
        np.multiply(g, g, out=step)
        step *= 1 - self.rho
        v += step
        np.sqrt(v, out=step)
        step += self.epsilon
        np.divide(g, step, out=step)
        step *= lr
        w -= step

    def loop(self) -> Loop | None:
        return _rmsprop_loop

    def loop_numbers(self, slots: State, *, lr: float, t: int) -> tuple[float, ...]:
        return lr, self.rho, self.epsilon


@jit
def _rmsprop_loop(w: Array, g: Array, v: Array, lr: float, rho: float, epsilon: float) -> None:
    """One step."""
    kind = w.dtype.type
    rate, kept, new, least = kind(lr), kind(rho), kind(1 - rho), kind(epsilon)
    for i in range(w.size):
        second = v[i] * kept + g[i] * g[i] * new
        v[i] = second
        w[i] -= g[i] / (math.sqrt(second) + least) * rate
