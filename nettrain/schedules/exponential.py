"""Exponential decay."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import Positive
from nettrain.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Exponential(Schedule):
    """Exponential decay. lr(t) = lr * by^t.

    t: epochs since the warm-up. It decays within the epoch too; PyTorch's ExponentialLR(gamma=by)
    is constant within an epoch when it is stepped once per epoch.
    """

    by: Annotated[Positive, Field(le=1, description="factor per epoch")] = 0.95

    def factor(self, t: float, horizon: float) -> float:
        return self.by**t
