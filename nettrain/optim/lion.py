"""Lion."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import BeforeValidator, Field

from nettrain.component import NonNegative, Share
from nettrain.jit import Loop, jit
from nettrain.optim import Array, Rate, Rule, State
from nettrain.schedules import Scheduled, base_value, from_mapping


@dataclass(frozen=True, kw_only=True)
class Lion(Rule):
    """Lion. w -= lr weight_decay w;  w -= lr sign(b1 m + (1-b1) g);  m = b2 m + (1-b2) g.

    All steps have the size lr, which should be three to ten times smaller than Adam's. Weights
    decay; biases and normalization parameters do not. Chen et al. 2023, "Symbolic discovery of
    optimization algorithms", Algorithm 2.
    """

    lr: Rate = 1e-4
    beta1: Annotated[
        Share, Field(description="weight of the momentum, beside the gradient, in a step's sign")
    ] = 0.9
    beta2: Annotated[Share, Field(description="decay rate of the momentum")] = 0.99
    weight_decay: Annotated[
        NonNegative | Scheduled,
        BeforeValidator(from_mapping),
        Field(
            description="fraction of a weight that a step with lr 1 subtracts; a mapping lets it "
            "follow a schedule: {value: 0.02, schedule: flat_cos}"
        ),
    ] = 0.0
    slots = ("m",)
    work = 2

    def decay(self, lr: float) -> float:
        return 1 - lr * base_value(self.weight_decay)

    def update(
        self, w: Array, g: Array, slots: State, work: list[Array], *, lr: float, t: int
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

    def loop_numbers(self, slots: State, *, lr: float, t: int) -> tuple[float, ...]:
        return lr, self.beta1, self.beta2


@jit
def _lion_loop(w: Array, g: Array, m: Array, lr: float, beta1: float, beta2: float) -> None:
    """One step."""
    kind = w.dtype.type
    kept1, new1, kept2, new2 = kind(beta1), kind(1 - beta1), kind(beta2), kind(1 - beta2)
    rate, one, zero = kind(lr), kind(1), kind(0)
    for i in range(w.size):
        mean = m[i] * kept1 + g[i] * new1
        sign = one if mean > zero else (-one if mean < zero else mean)  # 0 or NaN
        w[i] -= sign * rate
        m[i] = m[i] * kept2 + g[i] * new2
