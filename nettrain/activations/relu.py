"""Rectified linear unit."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Relu(Activation):
    """ReLU. y = max(x, 0), with the derivative 0 at 0.

    The rectified linear unit, the usual choice for hidden layers. Nair & Hinton 2010.
    """

    initializer = "he"
    rectifies = True

    def apply(self, x: Tensor) -> Tensor:
        return f.relu(x)
