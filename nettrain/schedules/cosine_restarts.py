"""Cosine annealing with warm restarts."""

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import NonNegative, Positive
from nettrain.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class CosineRestarts(Schedule):
    """Cosine annealing with restarts. lr(t) = lr (floor + (1 - floor) / 2 (1 + cos(pi s / S))).

    s: epochs since the last restart; S: epochs of this cycle. The first cycle has `period` epochs,
    each further one `stretch` times as many. Loshchilov & Hutter 2017, "SGDR", eq. 5. PyTorch's
    CosineAnnealingWarmRestarts(T_0=period, T_mult=stretch) takes the end as a rate (eta_min = lr *
    floor).
    """

    period: Annotated[Positive, Field(description="epochs of the first cycle")] = 10.0
    stretch: Annotated[
        Positive, Field(ge=1, description="factor from the length of one cycle to the next")
    ] = 1.0
    floor: Annotated[
        NonNegative,
        Field(le=1, description="rate at the end of a cycle as a fraction of the base rate"),
    ] = 0.0

    def factor(self, t: float, horizon: float) -> float:
        s, length = t, self.period
        if self.stretch == 1:
            s = t % length
        while s >= length * (
            1 - 1e-12
        ):  # t = step / steps rounds below a cycle's end for some steps
            s, length = max(s - length, 0.0), length * self.stretch
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * s / length))
