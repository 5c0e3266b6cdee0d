"""Heaviside step function."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Step(Activation):
    """Heaviside step. y = 1 where x > 0, else 0.

    The threshold unit of McCulloch & Pitts 1943. Its derivative is 0, so that gradient descent
    trains only the layers after it.
    """

    bounds = (0.0, 1.0)

    def apply(self, x: Tensor) -> Tensor:
        return f.step(x)
