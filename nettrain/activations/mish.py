"""A smooth relu that dips below zero, a little deeper than silu."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Mish(Activation):
    """y = x tanh(ln(1 + e^x)).  Misra 2020, eq. 1."""

    initializer = "he"

    def apply(self, x: Tensor) -> Tensor:
        return f.mish(x)
