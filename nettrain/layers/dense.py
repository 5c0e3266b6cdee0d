"""The fully connected layer."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff.tensor import Tensor
from nettrain.component import Count, Flag
from nettrain.errors import ConfigError
from nettrain.nn.activation import Activation
from nettrain.nn.initializer import Initializer
from nettrain.nn.layer import Layer, Scope, TrainedLayer
from nettrain.nn.parameter import Parameter, Shape
from nettrain.nn.receptive_field import EVERYTHING, ReceptiveField


@dataclass(frozen=True, kw_only=True)
class Dense(TrainedLayer):
    """y = x w + b.  x (n, i), w (i, o), b (o,) -> y (n, o): o (i + 1) parameters.

    PyTorch's Linear keeps w as (o, i).
    """

    independent_rows = True

    units: Annotated[
        Count | None,
        Field(
            description="outputs; null, in the last layer only: as many as the loss needs",
            examples=[64],
        ),
    ] = None
    bias: Annotated[Flag, Field(description="whether there is a b")] = True
    initializer: Annotated[
        Initializer | None,
        Field(description="of w; null: what the next activation wants, else xavier"),
    ] = None
    bias_initializer: Annotated[Initializer, Field(description="of b")] = Initializer.parse("zeros")

    def with_next_activation(self, activation: Activation | None) -> Layer:
        if self.initializer is not None:
            return self
        return self.replace(
            initializer=Initializer.parse(activation.initializer if activation else "xavier")
        )

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise ConfigError(
                f"dense takes rows of numbers, got rows of shape {shape}: put a flatten layer in front"
            )
        if self.units is None:
            raise ConfigError("only the last dense layer may leave `units` out")
        return (self.units,)

    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        (i,), (o,) = shape, self.output_shape(shape)
        w = Parameter((i, o), self.initializer or Initializer.parse("xavier"), fan_in=i, fan_out=o)
        b = Parameter((o,), self.bias_initializer, decayed=False)
        return {"w": w, "b": b} if self.bias else {"w": w}

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        y = x @ scope["w"]
        return y + scope["b"] if self.bias else y

    def flops(self, shape: Shape) -> int:
        return 2 * shape[0] * (self.units or 0)

    def receptive_field(self, shape: Shape) -> ReceptiveField:
        return EVERYTHING
