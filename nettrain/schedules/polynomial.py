"""A rate that falls along a power."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import NonNegative, Positive
from nettrain.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Polynomial(Schedule):
    """lr(t) = lr (floor + (1 - floor) (1 - t / T)^power).  t, T in epochs; T: the epochs after the warm-up.

    PyTorch's PolynomialLR(total_iters, power), which has no floor.
    """

    power: Annotated[Positive, Field(description="1 falls evenly, more falls early")] = 2.0
    floor: Annotated[
        NonNegative, Field(le=1, description="share of the rate that is left at the end")
    ] = 0.0

    @property
    def depends_on_horizon(self) -> bool:
        """True: T is the length of the run."""
        return True

    def factor(self, t: float, horizon: float) -> float:
        left = max(1 - t / horizon, 0.0) if horizon > 0 else 0.0
        return self.floor + (1 - self.floor) * left**self.power
