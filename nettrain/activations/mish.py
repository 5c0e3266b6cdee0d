"""Mish."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Mish(Activation):
    """Mish. y = x tanh(ln(1 + e^x)).

    Smooth, with a minimum below zero a little deeper than that of silu. Misra 2020, eq. 1.
    """

    initializer = "he"

    def apply(self, x: Tensor) -> Tensor:
        return f.mish(x)
