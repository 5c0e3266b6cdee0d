"""Sigmoid, the logistic function."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Sigmoid(Activation):
    """Sigmoid. y = 1 / (1 + e^-x), in (0, 1)."""

    bounds = (0.0, 1.0)

    def apply(self, x: Tensor) -> Tensor:
        return f.sigmoid(x)
