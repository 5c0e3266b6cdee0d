"""Nadam: Adam with Nesterov's look ahead."""

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import NonNegative, Positive, Share
from nettrain.optim import Rate, Rule


@dataclass(frozen=True, kw_only=True)
class Nadam(Rule):
    """mu_t = b1 (1 - 0.96^(t psi) / 2);  P_t = mu_1 ... mu_t;  m, v as in Adam;
    w -= lr (mu_(t+1) m / (1 - P_(t+1)) + (1 - mu_t) g / (1 - P_t)) / (sqrt(v / (1-b2^t)) + epsilon).

    Dozat 2016, "Incorporating Nesterov momentum into Adam", Algorithm 2 with the warming momentum of its section 2; psi is PyTorch's
    momentum_decay.
    """

    lr: Rate = 2e-3
    beta1: Annotated[Share, Field(description="share of the gradient's mean that is kept")] = 0.9
    beta2: Annotated[
        Share, Field(description="share of the squared gradient's mean that is kept")
    ] = 0.999
    epsilon: Annotated[Positive, Field(description="keeps the division finite")] = 1e-8
    psi: Annotated[
        NonNegative,
        Field(description="how fast the momentum rises from beta1 / 2 to beta1; 0: it stays"),
    ] = 4e-3
    slots = ("m", "v")
    scalars = {"momentum_product": 1.0}

    def momentum(self, t: int) -> float:
        """mu_t."""
        return self.beta1 * (1 - 0.5 * 0.96 ** (t * self.psi))

    def advance(self, state: dict[str, np.ndarray], t: int) -> None:
        state["momentum_product"] *= self.momentum(t)

    def update(
        self,
        w: np.ndarray,
        g: np.ndarray,
        slots: dict[str, np.ndarray],
        work: list[np.ndarray],
        *,
        lr: float,
        t: int,
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
