"""Mean squared error, the loss of regression."""

from dataclasses import dataclass

from nettrain.autodiff.tensor import Tensor
from nettrain.losses._value_loss import ValueLoss


@dataclass(frozen=True, kw_only=True)
class Mse(ValueLoss):
    """Mean squared error. L = 1/t sum_j (z_j - y_j)^2.

    Values z, y (n, t); in squared units of the transformed target. Averaged over outputs, as
    PyTorch's MSELoss; some books have a factor 1/2.
    """

    lower_bound = 0.0

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        error = outputs - targets
        return (error * error).mean(axis=1)
