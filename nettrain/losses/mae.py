"""The absolute error: the loss of the median."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.losses._value_loss import ValueLoss


@dataclass(frozen=True, kw_only=True)
class Mae(ValueLoss):
    """L = 1/t sum_j |z_j - y_j|.  values z, y (n, t); in units of the transformed target.

    Least where z is the median, so outliers pull little. Its gradient is as long near the target as far from it, and 0 on it.
    Averaged over outputs, as PyTorch's L1Loss.
    """

    lower_bound = 0.0

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return f.absolute(outputs - targets).mean(axis=1)
