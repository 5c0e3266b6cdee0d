"""An activation with a trained strength for each unit."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff.tensor import Tensor
from nettrain.errors import ConfigError
from nettrain.layers.feature_scale import ONES
from nettrain.nn.activation import Activation
from nettrain.nn.layer import Scope, TrainedLayer
from nettrain.nn.parameter import Parameter, Shape, per_unit


@dataclass(frozen=True, kw_only=True)
class ParametricActivation(TrainedLayer):
    """Parametric activation. y = x + a (f(x) - x).

    x (n, ..., c), a (c,) -> y (n, ..., c): c parameters, ones at the start, where y = f(x); for
    rows of members (n, k, c) a is (k, c). At 0 a unit is linear. An error for functions with
    trained parameters of their own (prelu). Holzmüller et al. 2024 (RealMLP), section 3, with selu
    for classes, mish for numbers, and `learning_rate: 0.1`.
    """

    independent_rows = True

    function: Annotated[Activation, Field(description="the activation f", examples=["selu"])]

    @property
    def activates(self) -> Activation:
        return self.function

    def output_shape(self, shape: Shape) -> Shape:
        if self.function.parameters(shape):
            raise ConfigError(
                f"parametric_activation takes no function with trained parameters, got "
                f"{self.function.name()}: take another, or the layer activation"
            )
        return shape

    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        return {"a": per_unit(shape, ONES, "activation")}

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        return x + scope["a"] * (self.function.apply(x) - x)
