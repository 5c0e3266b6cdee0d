"""Softmax: scores become probabilities."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Softmax(Activation):
    """Softmax. y_k = e^x_k / sum_j e^x_j, along the last axis.

    cross_entropy applies it itself, so that it is refused as the last layer there.
    """

    def apply(self, x: Tensor) -> Tensor:
        return f.softmax(x)
