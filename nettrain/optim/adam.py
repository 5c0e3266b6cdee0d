"""Adam."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from nettrain.component import Positive, Share
from nettrain.jit import Loop, jit
from nettrain.optim import Array, Rate, Rule, State


@dataclass(frozen=True, kw_only=True)
class Adam(Rule):
    """Adam. m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2;
    w -= lr (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + epsilon).

    Steps are scaled by running means of the gradient (first moment) and of its square (second
    moment), both corrected for starting at 0. Kingma & Ba 2015, Algorithm 1.
    """

    lr: Rate = 1e-3
    beta1: Annotated[Share, Field(description="decay rate of the first moment")] = 0.9
    beta2: Annotated[Share, Field(description="decay rate of the second moment")] = 0.999
    epsilon: Annotated[
        Positive, Field(description="added to the denominator: keeps the division finite")
    ] = 1e-8
    slots: ClassVar[tuple[str, ...]] = ("m", "v")

    def update(
        self, w: Array, g: Array, slots: State, work: list[Array], *, lr: float, t: int
    ) -> None:
        """One step of Algorithm 1; the bias corrections are folded into two scalars."""
        m, v, step = slots["m"], slots["v"], work[0]
        m *= self.beta1
        m += np.multiply(g, 1 - self.beta1, out=step)
        v *= self.beta2
        np.multiply(g, g, out=step)
        step *= 1 - self.beta2
        v += step
        np.sqrt(v, out=step)
        step *= 1 / math.sqrt(1 - self.beta2**t)
        step += self.epsilon
        np.divide(m, step, out=step)
        step *= lr / (1 - self.beta1**t)
        w -= step

    def loop(self) -> Loop | None:
        return _adam_loop

    def loop_numbers(self, slots: State, *, lr: float, t: int) -> tuple[float, ...]:
        return (
            self.beta1,
            self.beta2,
            self.epsilon,
            lr / (1 - self.beta1**t),
            1 / math.sqrt(1 - self.beta2**t),
        )


@jit
def _adam_loop(
    w: Array, g: Array, m: Array, v: Array,
    beta1: float, beta2: float, epsilon: float, rate: float, root: float,
) -> None:  # fmt: skip
    """One step. rate: lr / (1-b1^t); root: 1 / sqrt(1-b2^t)."""
    kind = w.dtype.type
    kept1, new1, kept2, new2 = kind(beta1), kind(1 - beta1), kind(beta2), kind(1 - beta2)
    least, scale, corrected = kind(epsilon), kind(rate), kind(root)
    for i in range(w.size):
        first = m[i] * kept1 + g[i] * new1
        second = v[i] * kept2 + g[i] * g[i] * new2
        m[i], v[i] = first, second
        w[i] -= first / (math.sqrt(second) * corrected + least) * scale
