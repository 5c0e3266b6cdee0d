"""Layers with a way around them."""
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff.tensor import Tensor
from nettrain.errors import ConfigError
from nettrain.nn.activation import Activation
from nettrain.nn.composite import Composite
from nettrain.nn.layer import Layer, Scope
from nettrain.nn.parameter import Shape
from nettrain.nn.place import Placed, named, place, settle


@dataclass(frozen=True, kw_only=True)
class Residual(Composite):
    """y = x + f(x), f being the layers one after the other; they must give rows of the shape they take.  He et al. 2016, eq. 1."""

    layers: Annotated[
        tuple[Layer, ...],
        Field(
            min_length=1,
            description="f, in this order; a bare activation's name is a layer too",
            examples=[[{"type": "dense", "units": 64}, "relu", {"type": "dense", "units": 64}]],
        ),
    ]

    def before(self, activation: Activation | None) -> Layer:
        return self.replace(layers=tuple(settle(self.layers, activation)))

    def inside(self, shape: Shape) -> list[Placed]:
        return place(self.layers, shape)

    def output_shape(self, shape: Shape) -> Shape:
        found = self.inside(shape)[-1].output_shape
        if found != shape:
            raise ConfigError(f"residual adds its input to what its layers give: rows of shape {shape} go in, {found} come out")
        return shape

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        y = x
        for name, layer in named(self.layers):
            y = scope.run(name, layer, y)
        return x + y
