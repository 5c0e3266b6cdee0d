"""Nadam: Adam with Nesterov momentum."""

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import NonNegative, Positive, Share
from nettrain.jit import Loop, jit
from nettrain.optim import Array, Rate, Rule, State


@dataclass(frozen=True, kw_only=True)
class Nadam(Rule):
    """NAdam. mu = b1 (1 - 0.96^(t psi) / 2);  mu' = b1 (1 - 0.96^((t+1) psi) / 2);  P = P mu;
    m, v as in Adam;
    w -= lr (mu' m / (1 - P mu') + (1 - mu) g / (1 - P)) / (sqrt(v / (1-b2^t)) + epsilon).

    Adam with Nesterov momentum. Dozat 2016, "Incorporating Nesterov momentum into Adam", Algorithm
    2 with the rising momentum of its section 2; psi is PyTorch's momentum_decay.
    """

    lr: Rate = 2e-3
    beta1: Annotated[Share, Field(description="decay rate of the first moment")] = 0.9
    beta2: Annotated[Share, Field(description="decay rate of the second moment")] = 0.999
    epsilon: Annotated[
        Positive, Field(description="added to the denominator: keeps the division finite")
    ] = 1e-8
    psi: Annotated[
        NonNegative,
        Field(description="how fast mu_t rises from beta1 / 2 to beta1; 0: it stays at beta1 / 2"),
    ] = 4e-3
    slots = ("m", "v")
    scalars = {"momentum_product": 1.0}

    def momentum(self, t: int) -> float:
        """mu_t."""
        return self.beta1 * (1 - 0.5 * 0.96 ** (t * self.psi))

    def advance(self, state: State, t: int) -> None:
        state["momentum_product"] *= self.momentum(t)

    def update(
        self, w: Array, g: Array, slots: State, work: list[Array], *, lr: float, t: int
    ) -> None:
        m, v, step = slots["m"], slots["v"], work[0]
        product = float(slots["momentum_product"][0])
        following = self.momentum(t + 1)
        m *= self.beta1
        m += np.multiply(g, 1 - self.beta1, out=step)
        v *= self.beta2
        np.multiply(g, g, out=step)
        step *= 1 - self.beta2
        v += step
        g *= lr * (1 - self.momentum(t)) / (1 - product)
        g += np.multiply(m, lr * following / (1 - product * following), out=step)
        np.sqrt(v, out=step)
        step *= 1 / math.sqrt(1 - self.beta2**t)
        step += self.epsilon
        g /= step
        w -= g

    def loop(self) -> Loop | None:
        return _nadam_loop

    def loop_numbers(self, slots: State, *, lr: float, t: int) -> tuple[float, ...]:
        product, following = float(slots["momentum_product"][0]), self.momentum(t + 1)
        of_g = lr * (1 - self.momentum(t)) / (1 - product)
        of_m = lr * following / (1 - product * following)
        return self.beta1, self.beta2, self.epsilon, of_g, of_m, 1 / math.sqrt(1 - self.beta2**t)


@jit
def _nadam_loop(
    w: Array, g: Array, m: Array, v: Array,
    beta1: float, beta2: float, epsilon: float, rate_g: float, rate_m: float, root: float,
) -> None:  # fmt: skip
    """One step. rate_g, rate_m: the factors of g and of m; root: 1 / sqrt(1-b2^t)."""
    kind = w.dtype.type
    kept1, new1, kept2, new2 = kind(beta1), kind(1 - beta1), kind(beta2), kind(1 - beta2)
    least, of_g, of_m, corrected = kind(epsilon), kind(rate_g), kind(rate_m), kind(root)
    for i in range(w.size):
        first = m[i] * kept1 + g[i] * new1
        second = v[i] * kept2 + g[i] * g[i] * new2
        m[i], v[i] = first, second
        w[i] -= (g[i] * of_g + first * of_m) / (math.sqrt(second) * corrected + least)
