"""Adadelta."""

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Positive, Share
from nettrain.jit import Loop, jit
from nettrain.optim import Array, Rate, Rule, State


@dataclass(frozen=True, kw_only=True)
class Adadelta(Rule):
    """Adadelta. v = rho v + (1-rho) g^2;  d = g sqrt(u + epsilon) / sqrt(v + epsilon);
    u = rho u + (1-rho) d^2;  w -= lr d.

    Steps are in the unit of the weights: the size of past steps over that of past gradients. Zeiler
    2012, Algorithm 1, where lr is 1. Keras has lr 0.001, far too small for this rule.
    """

    lr: Rate = 1.0
    rho: Annotated[Share, Field(description="decay rate of both running means")] = 0.9
    epsilon: Annotated[
        Positive, Field(description="squared size of the first steps; keeps the division finite")
    ] = 1e-6
    slots = ("v", "u")

    def update(
        self, w: Array, g: Array, slots: State, work: list[Array], *, lr: float, t: int
    ) -> None:
        v, u, step = slots["v"], slots["u"], work[0]
        v *= self.rho
        np.multiply(g, g, out=step)
        step *= 1 - self.rho
        v += step
        np.add(v, self.epsilon, out=step)
        np.sqrt(step, out=step)
        g /= step
        np.add(u, self.epsilon, out=step)
        np.sqrt(step, out=step)
        g *= step
        u *= self.rho
        np.multiply(g, g, out=step)
        step *= 1 - self.rho
        u += step
        g *= lr
        w -= g

    def loop(self) -> Loop | None:
        return _adadelta_loop

    def loop_numbers(self, slots: State, *, lr: float, t: int) -> tuple[float, ...]:
        return lr, self.rho, self.epsilon


@jit
def _adadelta_loop(
    w: Array, g: Array, v: Array, u: Array, lr: float, rho: float, epsilon: float
) -> None:
    """One step."""
    kind = w.dtype.type
    rate, kept, new, least = kind(lr), kind(rho), kind(1 - rho), kind(epsilon)
    for i in range(w.size):
        second = v[i] * kept + g[i] * g[i] * new
        v[i] = second
        step = g[i] / math.sqrt(second + least) * math.sqrt(u[i] + least)
        u[i] = u[i] * kept + step * step * new
        w[i] -= step * rate
