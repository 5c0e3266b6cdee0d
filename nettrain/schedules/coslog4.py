"""Four cosine cycles, each twice as long as the one before."""

import math
from dataclasses import dataclass

from nettrain.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Coslog4(Schedule):
    """Four log-spaced cosine cycles. lr(t) = lr / 2 (1 - cos(2 pi log2(1 + 15 t / T))).

    t: epochs since the warm-up; T: epochs from there to the end. The rate is 0 at t / T = 0, 1/15,
    3/15, 7/15 and 1, and lr between these: runs of any length train at large rates for long and
    come to rest several times. Holzmüller et al. 2024 (RealMLP), section 3.
    """

    @property
    def depends_on_horizon(self) -> bool:
        """True: T is the length of the run."""
        return True

    def factor(self, t: float, horizon: float) -> float:
        """Returns 1/2 (1 - cos(2 pi log2(1 + 15 t / T)))."""
        progress = min(t / horizon, 1.0) if horizon > 0 else 1.0
        return 0.5 * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * progress)))
