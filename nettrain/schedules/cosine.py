"""Cosine annealing."""

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import NonNegative
from nettrain.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Cosine(Schedule):
    """Cosine annealing. lr(t) = lr (floor + (1 - floor) / 2 (1 + cos(pi t / T))).

    t: epochs since the warm-up; T: epochs from there to the end. Loshchilov & Hutter 2017, "SGDR",
    eq. 5, without restarts. PyTorch's CosineAnnealingLR takes the end as a rate (eta_min = lr *
    floor).
    """

    floor: Annotated[
        NonNegative, Field(le=1, description="final rate as a fraction of the base rate")
    ] = 0.0

    @property
    def depends_on_horizon(self) -> bool:
        """True: T is the length of the run."""
        return True

    def factor(self, t: float, horizon: float) -> float:
        """Returns floor + (1 - floor) / 2 (1 + cos(pi t / T))."""
        progress = min(t / horizon, 1.0) if horizon > 0 else 1.0
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * progress))
