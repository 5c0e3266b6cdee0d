"""Softplus, a smooth ReLU."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Softplus(Activation):
    """Softplus. y = ln(1 + e^x).

    A smooth relu. Dugas et al. 2001.
    """

    initializer = "he"

    def apply(self, x: Tensor) -> Tensor:
        return f.softplus(x)
