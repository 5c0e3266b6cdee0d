"""A rate that rises and then falls far below where it began."""

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import Positive
from nettrain.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class OneCycle(Schedule):
    """lr(t) rises from lr * start to lr in the first `rise` of the run, then falls to lr * end, both along half a cosine.

    Smith & Topin 2018, "Super-convergence", with the cosines of PyTorch's OneCycleLR, whose last step is the one that stands at the end:
    OneCycleLR(lr, total_steps=N + 1) has start = 1 / div_factor, end = start / final_div_factor. Momentum stays as it is.
    `optimizer.lr` is the highest rate. A warm-up comes on top of the cycle and is rarely wanted.
    """

    rise: Annotated[
        Positive, Field(lt=1, description="share of the run in which the rate rises")
    ] = 0.3
    start: Annotated[Positive, Field(le=1, description="share of the rate at the beginning")] = 0.04
    end: Annotated[Positive, Field(le=1, description="share of the rate at the end")] = 4e-6

    @property
    def depends_on_horizon(self) -> bool:
        """True: the cycle is the length of the run."""
        return True

    def factor(self, t: float, horizon: float) -> float:
        progress = min(t / horizon, 1.0) if horizon > 0 else 1.0
        if progress <= self.rise:
            return 1 + (self.start - 1) * 0.5 * (1 + math.cos(math.pi * progress / self.rise))
        return self.end + (1 - self.end) * 0.5 * (
            1 + math.cos(math.pi * (progress - self.rise) / (1 - self.rise))
        )
