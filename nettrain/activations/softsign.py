"""Softsign."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Softsign(Activation):
    """Softsign. y = x / (1 + |x|), in (-1, 1).

    Saturates more slowly than tanh. Bergstra et al. 2009; Glorot & Bengio 2010, section 3.
    """

    bounds = (-1.0, 1.0)

    def apply(self, x: Tensor) -> Tensor:
        return f.softsign(x)
