"""Fully connected layer."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff.tensor import Tensor
from nettrain.component import Count
from nettrain.errors import ConfigError
from nettrain.layers._weights import (
    ZEROS,
    BiasField,
    BiasInitializerField,
    InitializerField,
    WeightedLayer,
)
from nettrain.nn.layer import Scope
from nettrain.nn.parameter import Parameter, Shape
from nettrain.nn.receptive_field import EVERYTHING, ReceptiveField


@dataclass(frozen=True, kw_only=True)
class Dense(WeightedLayer):
    """Fully connected. y = x w + b.

    x (n, i), w (i, o), b (o,) -> y (n, o): o (i + 1) parameters. PyTorch's Linear has w (o, i).
    """

    independent_rows = True

    units: Annotated[
        Count | None,
        Field(
            description="outputs; null (in the last layer only): as many as the loss needs",
            examples=[64],
        ),
    ] = None
    bias: BiasField = True
    initializer: InitializerField = None
    bias_initializer: BiasInitializerField = ZEROS

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise ConfigError(
                f"dense takes rows of numbers, got rows of shape {shape}: put a flatten layer in "
                "front"
            )
        if self.units is None:
            raise ConfigError("only the last dense layer may leave `units` out")
        return (self.units,)

    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        (i,), (o,) = shape, self.output_shape(shape)
        w = Parameter((i, o), self.weight_initializer, fan_in=i, fan_out=o)
        return {"w": w} | self.bias_parameter(o)

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        y = x @ scope["w"]
        return y + scope["b"] if self.bias else y

    def flops(self, shape: Shape) -> int:
        return 2 * shape[0] * (self.units or 0)

    def receptive_field(self, shape: Shape) -> ReceptiveField:
        return EVERYTHING
