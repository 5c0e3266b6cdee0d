"""A trained factor for each input."""

from dataclasses import dataclass

from nettrain.autodiff.tensor import Tensor
from nettrain.nn.initializer import Initializer
from nettrain.nn.layer import Scope, TrainedLayer
from nettrain.nn.parameter import Parameter, Shape, per_unit

ONES = Initializer.parse({"type": "constant", "value": 1.0})


@dataclass(frozen=True, kw_only=True)
class FeatureScale(TrainedLayer):
    """Scaling layer. y = x s, with a trained factor for each input.

    x (n, ..., c), s (c,) -> y (n, ..., c): c parameters, ones at the start; for rows of members
    (n, k, c) s is (k, c). In front of the first dense layer, with a large `learning_rate`, it lets
    the network weigh features quickly; weight decay draws those without use to 0. Holzmüller et al.
    2024 (RealMLP), section 3, with a rate factor of 6.
    """

    independent_rows = True

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        return {"s": per_unit(shape, ONES, "scale")}

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        return x * scope["s"]
