"""An activation as a layer of its own."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff.tensor import Tensor
from nettrain.nn import activation
from nettrain.nn.layer import Layer, Scope
from nettrain.nn.parameter import Parameter, Shape


@dataclass(frozen=True, kw_only=True)
class Activation(Layer):
    """Activation. y = function(x).

    In a list of layers the bare name of an activation stands for it: `- relu`.
    """

    independent_rows = True

    function: Annotated[
        activation.Activation,
        Field(description="the activation: relu, tanh, ...", examples=["relu"]),
    ]

    @property
    def activates(self) -> activation.Activation:
        return self.function

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        return self.function.parameters(shape)

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        return self.function.apply_with(
            x, {name: scope[name] for name in self.function.parameters(x.shape[1:])}
        )
