"""One-cycle policy."""

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import Positive
from nettrain.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class OneCycle(Schedule):
    """One-cycle policy. lr(t) rises from lr * start to lr, then falls to lr * end, by cosines.

    It peaks at the fraction `rise` of the run. `optimizer.lr` is the peak. Momentum stays constant.
    A warm-up comes on top of the cycle and is rarely wanted.

    Smith & Topin 2018, "Super-convergence", with PyTorch's cosines. Its phases end at the steps
    pct_start * total_steps - 1 and total_steps - 1, so that a run of N steps equals
    OneCycleLR(lr, total_steps=N + 1, pct_start=(rise * N + 1) / (N + 1), div_factor=1 / start,
    final_div_factor=start / end). With pct_start=rise PyTorch peaks 1 - rise steps earlier, a
    difference of 2 % of the rate at N = 100.
    """

    rise: Annotated[
        Positive, Field(lt=1, description="fraction of the run in which the rate rises")
    ] = 0.3
    start: Annotated[Positive, Field(le=1, description="first rate as a fraction of the peak")] = (
        0.04
    )
    end: Annotated[Positive, Field(le=1, description="last rate as a fraction of the peak")] = 4e-6

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
