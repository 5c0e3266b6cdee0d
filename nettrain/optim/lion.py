"""Lion: steps of one size, along the sign of an averaged gradient."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import NonNegative, Share
from nettrain.jit import Loop, jit
from nettrain.optim import Rate, Rule


@dataclass(frozen=True, kw_only=True)
class Lion(Rule):
    """w -= lr weight_decay w;  w -= lr sign(b1 m + (1-b1) g);  m = b2 m + (1-b2) g.

    Chen et al. 2023, "Symbolic discovery of optimization algorithms", Algorithm 2: a rate three to ten times smaller than Adam's.
    Weights decay, biases and normalisation parameters do not.
    """

    lr: Rate = 1e-4
    beta1: Annotated[Share, Field(description="share of the mean in the direction of a step")] = 0.9
    beta2: Annotated[Share, Field(description="share of the gradient's mean that is kept")] = 0.99
    weight_decay: Annotated[
        NonNegative, Field(description="share of a weight that a step of rate 1 takes away")
    ] = 0.0
    slots = ("m",)
    work = 2

    def decay(self, lr: float) -> float:
        return 1 - lr * self.weight_decay

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
        m, step, part = slots["m"], work[0], work[1]
        np.multiply(m, self.beta1, out=step)
        step += np.multiply(g, 1 - self.beta1, out=part)
        np.sign(step, out=step)
        step *= lr
        w -= step
        m *= self.beta2
        g *= 1 - self.beta2
        m += g

    def loop(self) -> Loop | None:
        return _lion_loop

    def loop_numbers(self, slots: dict[str, np.ndarray], *, lr: float, t: int) -> tuple[float, ...]:
        return lr, self.beta1, self.beta2


@jit
def _lion_loop(
    w: np.ndarray, g: np.ndarray, m: np.ndarray, lr: float, beta1: float, beta2: float
) -> None:
    """One step."""
    kind = w.dtype.type
    kept1, new1, kept2, new2 = kind(beta1), kind(1 - beta1), kind(beta2), kind(1 - beta2)
    rate, one, zero = kind(lr), kind(1), kind(0)
    for i in range(w.size):
        mean = m[i] * kept1 + g[i] * new1
        sign = one if mean > zero else (-one if mean < zero else mean)  # 0 or NaN
        w[i] -= sign * rate
        m[i] = m[i] * kept2 + g[i] * new2
