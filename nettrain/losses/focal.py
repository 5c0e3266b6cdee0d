"""Focal loss: cross-entropy that discounts easy rows."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.component import NonNegative
from nettrain.losses._sigmoid_loss import SigmoidLoss

Balance = Annotated[float, Field(strict=True, ge=0, le=1)]


@dataclass(frozen=True, kw_only=True)
class Focal(SigmoidLoss):
    """Focal loss. L = -sum_k a_k (1 - q_k)^gamma ln q_k, q = p where y = 1, else 1 - p.

    p = sigmoid(z), logits z (n, k), targets y (n, k) of 0 and 1; nats per example. a is alpha where
    y = 1, else 1 - alpha; `alpha: null` leaves a out. gamma = 0 without alpha is
    `binary_cross_entropy`, whose outputs it has. Summed over outputs, as torchvision's
    sigmoid_focal_loss (reduction sum, alpha 0.25 by default). Lin et al. 2017, eq. 5, whose
    detector had gamma 2 and alpha 0.25.
    """

    gamma: Annotated[
        NonNegative, Field(description="how strongly rows that are predicted well are discounted")
    ] = 2.0
    alpha: Annotated[
        Balance | None,
        Field(description="weight of y = 1; y = 0 has 1 - alpha; null: both 1"),
    ] = None

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        against = outputs * (1 - 2 * targets)  # -z where y = 1, else z
        surprise = f.softplus(against)  # -ln q
        loss = f.exp(f.softplus(-against) * -self.gamma) * surprise
        if self.alpha is not None:
            loss = loss * (targets * (2 * self.alpha - 1) + (1 - self.alpha))
        return loss.sum(axis=1)
