"""Identity: no activation."""

from dataclasses import dataclass

from nettrain.autodiff.tensor import Tensor
from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Identity(Activation):
    """Identity. y = x.

    A network that has no other activation is a linear model, however deep.
    """

    def apply(self, x: Tensor) -> Tensor:
        return x
