"""Inverse square root decay."""

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import Positive
from nettrain.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class InverseSqrt(Schedule):
    """Inverse square root decay. lr(t) = lr / sqrt(1 + t / scale).

    t: epochs since the warm-up; scale: epochs. Where the scale is the warm-up W this is lr sqrt(W /
    time since the start), the rate of Vaswani et al. 2017, eq. 3, and of the Transformers library.
    """

    scale: Annotated[
        Positive | None,
        Field(description="time scale in epochs; null: warmup, or 1 without one"),
    ] = None

    def factor(self, t: float, horizon: float) -> float:
        return 1 / math.sqrt(1 + t / (self.scale or self.warmup or 1.0))
