"""Sigmoid linear unit, also called swish."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Silu(Activation):
    """SiLU (swish). y = x / (1 + e^-x).

    Elfwing et al. 2018, eq. 8; swish with beta = 1 in Ramachandran et al. 2017.
    """

    initializer = "he"

    def apply(self, x: Tensor) -> Tensor:
        return f.silu(x)
