"""Piecewise constant learning rate."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import NonNegative, Positive
from nettrain.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Piecewise(Schedule):
    """Piecewise constant. lr(t) = lr * factors[i], i: the number of boundaries that t has reached.

    t and boundaries: epochs since the warm-up. An error unless the boundaries rise and there is one
    factor more than boundaries.
    PyTorch's MultiStepLR(milestones, gamma) is `factors: [1, gamma, gamma^2, ...]`.
    """

    boundaries: Annotated[
        tuple[Positive, ...],
        Field(
            min_length=1,
            description="epochs at which the rate changes, in rising order",
            examples=[[10, 20]],
        ),
    ]
    factors: Annotated[
        tuple[NonNegative, ...],
        Field(
            min_length=2,
            description="factors of the base rate, before the first boundary and after each",
            examples=[[1, 0.1, 0.01]],
        ),
    ]

    def __post_init__(self) -> None:
        if list(self.boundaries) != sorted(set(self.boundaries)):
            raise ValueError(f"boundaries must rise, got {list(self.boundaries)}")
        if len(self.factors) != len(self.boundaries) + 1:
            raise ValueError(
                f"{len(self.boundaries)} boundaries need {len(self.boundaries) + 1} factors, "
                f"got {len(self.factors)}"
            )

    def factor(self, t: float, horizon: float) -> float:
        return self.factors[
            bisect_right(self.boundaries, t + 1e-9)
        ]  # 1e-9: t = step / steps rounds below a boundary for some steps
