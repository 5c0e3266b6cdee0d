"""Adam: steps scaled by the moments of the gradient."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from nettrain.component import Positive, Share
from nettrain.optim import Rate, Rule


@dataclass(frozen=True, kw_only=True)
class Adam(Rule):
    """m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2;  w -= lr (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + epsilon).

    Kingma & Ba 2015, Algorithm 1.
    """

    lr: Rate = 1e-3
    beta1: Annotated[Share, Field(description="share of the gradient's mean that is kept")] = 0.9
    beta2: Annotated[
        Share, Field(description="share of the squared gradient's mean that is kept")
    ] = 0.999
    epsilon: Annotated[Positive, Field(description="keeps the division finite")] = 1e-8
    slots: ClassVar[tuple[str, ...]] = ("m", "v")

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
