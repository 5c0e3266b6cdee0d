"""An optimizer of your own: steps in the direction of the gradient's sign.

plugins: [plugins/optimizer.py]
optimizer: {type: sign_momentum, lr: 0.005}
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain import Positive, Rule, Share


@dataclass(frozen=True, kw_only=True)
class SignMomentum(Rule):
    """Signum. m = b m + (1-b) g;  w -= lr sign(m).  Bernstein et al. 2018."""

    lr: Annotated[Positive, Field(description="learning rate, before the schedule")] = 0.001
    beta: Annotated[Share, Field(description="decay rate of the momentum")] = 0.9

    slots = ("momentum",)  # arrays as long as w, zero at the start; checkpoints hold them

    def update(
        self,
        w: np.ndarray,
        g: np.ndarray,
        slots: dict[str, np.ndarray],
        work: list[np.ndarray],
        *,
        lr: float,
        t: int,
    ) -> None:
        """Change w and the slots in place, for one step."""
        m = slots["momentum"]
        m *= self.beta
        m += (1 - self.beta) * g
        w -= lr * np.sign(m)
