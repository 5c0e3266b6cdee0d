"""Polynomial decay."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import NonNegative, Positive
from nettrain.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Polynomial(Schedule):
    """Polynomial decay. lr(t) = lr (floor + (1 - floor) (1 - t / T)^power).

    t: epochs since the warm-up; T: epochs from there to the end.
    PyTorch's PolynomialLR(total_iters, power) has no floor.
    """

    power: Annotated[Positive, Field(description="exponent: 1 is linear, more decays earlier")] = (
        2.0
    )
    floor: Annotated[
        NonNegative, Field(le=1, description="final rate as a fraction of the base rate")
    ] = 0.0

    @property
    def depends_on_horizon(self) -> bool:
        """True: T is the length of the run."""
        return True

    def factor(self, t: float, horizon: float) -> float:
        left = max(1 - t / horizon, 0.0) if horizon > 0 else 0.0
        return self.floor + (1 - self.floor) * left**self.power
