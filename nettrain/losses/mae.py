"""Mean absolute error."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.losses._value_loss import ValueLoss


@dataclass(frozen=True, kw_only=True)
class Mae(ValueLoss):
    """Mean absolute error. L = 1/t sum_j |z_j - y_j|.

    Values z, y (n, t); in units of the transformed target. The best constant prediction is the
    median, so that outliers have little influence. The gradient has the same magnitude at any
    error, and is 0 at 0. Averaged over outputs, as PyTorch's L1Loss.
    """

    lower_bound = 0.0

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return f.absolute(outputs - targets).mean(axis=1)
