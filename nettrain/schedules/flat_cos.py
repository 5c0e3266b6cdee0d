"""Constant, then cosine annealing."""

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import Share
from nettrain.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class FlatCos(Schedule):
    """Constant, then cosine annealing. lr(t) = lr up to t = flat T, then
    lr / 2 (1 + cos(pi (t - flat T) / (T - flat T))).

    t: epochs since the warm-up; T: epochs from there to the end, where the rate is 0. RealMLP's
    dropout and weight decay follow it with flat 1/2: Holzmüller et al. 2024, section 3.
    """

    flat: Annotated[
        Share, Field(description="fraction of the run in which the rate stays as it is")
    ] = 0.5

    @property
    def depends_on_horizon(self) -> bool:
        """True: T is the length of the run."""
        return True

    def factor(self, t: float, horizon: float) -> float:
        """Returns 1, then 1/2 (1 + cos(pi (t - flat T) / (T - flat T)))."""
        progress = min(t / horizon, 1.0) if horizon > 0 else 1.0
        fallen = max(progress - self.flat, 0.0) / (1 - self.flat)
        return 0.5 * (1 + math.cos(math.pi * fallen))
