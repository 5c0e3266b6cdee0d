"""Fully connected layer."""

import math
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field

from nettrain.autodiff.tensor import Tensor
from nettrain.component import Count, Positive
from nettrain.errors import ConfigError
from nettrain.layers._weights import (
    ZEROS,
    BiasField,
    BiasInitializerField,
    InitializerField,
    WeightedLayer,
)
from nettrain.nn.activation import Activation
from nettrain.nn.initializer import Initializer
from nettrain.nn.layer import Layer, Scope
from nettrain.nn.parameter import Parameter, Shape
from nettrain.nn.receptive_field import EVERYTHING, ReceptiveField

STANDARD_NORMAL = Initializer.parse({"type": "normal", "deviation": 1.0})


@dataclass(frozen=True, kw_only=True)
class Dense(WeightedLayer):
    """Fully connected. y = x w + b; with `parametrization: ntk` y = x w / sqrt(i) + b.

    x (n, i), w (i, o), b (o,) -> y (n, o): o (i + 1) parameters. PyTorch's Linear has w (o, i).

    In the neural tangent parametrization weights start from a standard normal distribution whatever
    the width. The outputs start as those of `lecun`, but a step of Adam changes them as a step of
    1/sqrt(i) of the rate does in the standard one: one rate then suits layers of unequal width.
    Weight decay acts on w as it is. Jacot et al. 2018 (Neural tangent kernel), eq. 1; Holzmüller et
    al. 2024 (RealMLP), with `bias_learning_rate: 0.1`.
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
    bias_learning_rate: Annotated[
        Positive, Field(description="factor of the learning rate of the bias, beside the layer's")
    ] = 1.0
    parametrization: Annotated[
        Literal["standard", "ntk"],
        Field(description="ntk: weights of standard deviation 1, and products divided by sqrt(i)"),
    ] = "standard"

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise ConfigError(
                f"dense takes rows of numbers, got rows of shape {shape}: put a flatten layer in "
                "front"
            )
        if self.units is None:
            raise ConfigError("only the last dense layer may leave `units` out")
        return (self.units,)

    def with_next_activation(self, activation: Activation | None) -> Layer:
        if self.parametrization == "ntk" and self.initializer is None:
            return self.replace(initializer=STANDARD_NORMAL)
        return super().with_next_activation(activation)

    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        (i,), (o,) = shape, self.output_shape(shape)
        w = Parameter((i, o), self.weight_initializer, fan_in=i, fan_out=o)
        bias = {
            name: replace(b, rate=self.bias_learning_rate)
            for name, b in self.bias_parameter(o).items()
        }
        return {"w": w} | bias

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        if self.parametrization == "ntk":
            x = x * (1 / math.sqrt(x.shape[-1]))  # not y: product and bias stay one operation
        y = x @ scope["w"]
        return y + scope["b"] if self.bias else y

    def flops(self, shape: Shape) -> int:
        return 2 * shape[0] * (self.units or 0)

    def receptive_field(self, shape: Shape) -> ReceptiveField:
        return EVERYTHING
