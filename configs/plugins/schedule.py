"""A schedule of your own: a rate that oscillates between its value and a fraction of it.

plugins: [plugins/schedule.py]
schedule: {type: triangle_wave, period: 4, low: 0.1}
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain import Positive, Schedule, Share


@dataclass(frozen=True, kw_only=True)
class TriangleWave(Schedule):
    """Triangle wave. lr(t) = lr (1 - 2 (1 - low) d), d = |t / period - nearest integer|."""

    period: Annotated[Positive, Field(description="epochs from one maximum to the next")] = 10.0
    low: Annotated[Share, Field(description="minimum, as a fraction of the rate")] = 0.1

    def factor(self, t: float, horizon: float) -> float:
        """Return what multiplies the rate, t epochs after the warm-up."""
        phase = t / self.period % 1
        return 1 - (1 - self.low) * 2 * min(phase, 1 - phase)
