"""Quantile (pinball) loss."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.losses._value_loss import ValueLoss


@dataclass(frozen=True, kw_only=True)
class Quantile(ValueLoss):
    """Quantile (pinball) loss. L = 1/t sum_j max(q (y_j - z_j), (q - 1) (y_j - z_j)).

    Values z, y (n, t); in units of the transformed target. Its minimum has the fraction q of the
    targets below z: q = 0.9 predicts what one row in ten exceeds. q = 1/2 is half of `mae`.
    scikit-learn's QuantileRegressor minimises the same; PyTorch has none. Koenker & Bassett 1978.
    """

    q: Annotated[
        float,
        Field(
            strict=True,
            gt=0,
            lt=1,
            description="fraction of the targets that should lie below the prediction",
        ),
    ] = 0.5

    lower_bound = 0.0

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        error = targets - outputs
        return f.maximum(error * self.q, error * (self.q - 1)).mean(axis=1)
