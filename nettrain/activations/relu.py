"""What most hidden units use."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Relu(Activation):
    """y = max(x, 0).  y'(0) = 0.  Nair & Hinton 2010."""

    initializer = "he"
    rectifies = True

    def apply(self, x: Tensor) -> Tensor:
        return f.relu(x)
