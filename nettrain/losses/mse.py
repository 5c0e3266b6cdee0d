"""The loss of regression."""

from dataclasses import dataclass

from nettrain.autodiff.tensor import Tensor
from nettrain.losses._value_loss import ValueLoss


@dataclass(frozen=True, kw_only=True)
class Mse(ValueLoss):
    """L = 1/t sum_j (z_j - y_j)^2.  values z, y (n, t); in squared units of the transformed target.

    Averaged over outputs, as PyTorch's MSELoss; some books put 1/2 in front.
    """

    lower_bound = 0.0

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        error = outputs - targets
        return (error * error).mean(axis=1)
