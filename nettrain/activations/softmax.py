"""Scores made shares of one."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Softmax(Activation):
    """y_k = e^x_k / sum_j e^x_j along the last axis.  cross_entropy contains it: as the last layer it would be applied twice."""

    def apply(self, x: Tensor) -> Tensor:
        return f.softmax(x)
