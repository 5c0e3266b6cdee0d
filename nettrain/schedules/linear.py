"""Linear decay."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import NonNegative
from nettrain.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Linear(Schedule):
    """Linear decay. lr(t) = lr (floor + (1 - floor) (1 - t / T)).

    t: epochs since the warm-up; T: epochs from there to the end.
    PyTorch: LinearLR(start_factor=1, end_factor=floor, total_iters).
    """

    floor: Annotated[
        NonNegative, Field(le=1, description="final rate as a fraction of the base rate")
    ] = 0.0

    @property
    def depends_on_horizon(self) -> bool:
        """True: T is the length of the run."""
        return True

    def factor(self, t: float, horizon: float) -> float:
        left = max(1 - t / horizon, 0.0) if horizon > 0 else 0.0
        return self.floor + (1 - self.floor) * left
