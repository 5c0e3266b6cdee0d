"""Scaled exponential linear unit."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.activation import Activation

ALPHA = 1.6732632423543772848
SCALE = 1.0507009873554804934


@dataclass(frozen=True, kw_only=True)
class Selu(Activation):
    """SELU. y = 1.0507 x where x > 0, else 1.7581 (e^x - 1).

    Keeps mean 0 and variance 1 from layer to layer, with weights that start with Var w = 1 / fan_in
    (`lecun`). Klambauer et al. 2017, eq. 2.
    """

    initializer = "lecun"

    def apply(self, x: Tensor) -> Tensor:
        return f.elu(x, ALPHA, SCALE)
