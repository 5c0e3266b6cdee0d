"""Step decay."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import Positive
from nettrain.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Step(Schedule):
    """Step decay. lr(t) = lr * by^floor(t / every).

    t: epochs since the warm-up. Halving every 5 epochs: `every: 5, by: 0.5`.
    PyTorch: StepLR(step_size, gamma).
    """

    every: Annotated[Positive, Field(description="epochs between reductions")] = 10.0
    by: Annotated[Positive, Field(le=1, description="factor of each reduction")] = 0.1

    def factor(self, t: float, horizon: float) -> float:
        """Returns by^floor(t / every)."""
        return self.by ** int(
            t / self.every + 1e-9
        )  # 1e-9: t = step / steps rounds below a whole epoch for some steps
