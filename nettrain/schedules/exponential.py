"""A rate that falls by the same share in equal times."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import Positive
from nettrain.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Exponential(Schedule):
    """lr(t) = lr * by^t.  t in epochs.

    It falls within the epoch too. PyTorch's ExponentialLR(gamma=by) stays within it when stepped once an epoch.
    """

    by: Annotated[Positive, Field(le=1, description="what an epoch multiplies the rate with")] = (
        0.95
    )

    def factor(self, t: float, horizon: float) -> float:
        return self.by**t
