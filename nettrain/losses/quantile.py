"""Quantile (pinball) loss."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.losses._value_loss import ValueLoss

Level = Annotated[float, Field(strict=True, gt=0, lt=1)]
_MOST = 99


@dataclass(frozen=True, kw_only=True)
class Quantile(ValueLoss):
    """Quantile (pinball) loss. L = 1/t sum_j max(q (y_j - z_j), (q - 1) (y_j - z_j)); of several
    quantiles the mean over them.

    Values z, y (n, t); in units of the transformed target. Its minimum has the fraction q of the
    targets below z: q = 0.9 predicts what one row in ten exceeds. q = 1/2 is half of `mae`.
    scikit-learn's QuantileRegressor minimises the same; PyTorch has none. Koenker & Bassett 1978.

    With `quantiles` one network has an output for each of k quantiles and target: z (n, k t), all
    targets at the first quantile, then all at the second. Nothing keeps the outputs of a row in
    their order; predictions are sorted, which never makes the loss larger (Chernozhukov et al.
    2010). The quantile nearest to 1/2 is the prediction of a row, of which r2, mae and the like
    are computed; the outermost two are its interval (coverage, interval_width). `nettrain
    calibrate` corrects intervals on validation rows.
    """

    q: Annotated[
        Level, Field(description="fraction of the targets that should lie below the prediction")
    ] = 0.5
    quantiles: Annotated[
        tuple[Level, ...] | None,
        Field(
            min_length=1,
            max_length=_MOST,
            description="several of them at once, rising, in place of q; null: q alone",
            examples=[[0.05, 0.5, 0.95]],
        ),
    ] = None

    lower_bound = 0.0

    def __post_init__(self) -> None:
        given = self.quantiles or ()
        if any(a >= b for a, b in pairwise(given)):
            raise ValueError(f"quantiles must rise, got {list(given)}")
        if given and self.q != 0.5:
            raise ValueError(f"give q or quantiles, got q {self.q} and {list(given)}")

    @property
    def levels(self) -> tuple[float, ...]:
        return self.quantiles or (self.q,)

    def outputs(self, task: str, size: int) -> int:
        return size * len(self.levels)

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        if self.quantiles is None:
            error = targets - outputs
            return f.maximum(error * self.q, error * (self.q - 1)).mean(axis=1)
        k, size = len(self.quantiles), targets.shape[1]
        q = np.repeat(np.array(self.quantiles, outputs.dtype), size)
        error = f.concatenate([targets] * k, axis=1) - outputs
        return f.maximum(error * q, error * (q - 1)).mean(axis=1)

    def inverse_link(self, outputs: Tensor, task: str) -> Tensor:
        k, columns = len(self.levels), outputs.shape[1]
        if k == 1:
            return outputs
        return f.sort(outputs.reshape(-1, k, columns // k), axis=1).reshape(-1, columns)
