"""Hyperbolic tangent."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Tanh(Activation):
    """Tanh. y = tanh x = 2 sigmoid(2x) - 1, in (-1, 1)."""

    bounds = (-1.0, 1.0)

    def apply(self, x: Tensor) -> Tensor:
        return f.tanh(x)
