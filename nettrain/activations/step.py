"""The threshold unit."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Step(Activation):
    """y = 1 where x > 0, else 0.  Its derivative is 0: only the layer after it can learn by descent.  McCulloch & Pitts 1943."""

    bounds = (0.0, 1.0)

    def apply(self, x: Tensor) -> Tensor:
        return f.step(x)
