"""Layers with a way around them."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff.tensor import Tensor
from nettrain.component import Flag
from nettrain.errors import ConfigError
from nettrain.layers.batch_norm import BatchNorm
from nettrain.layers.conv import Conv
from nettrain.layers.dense import Dense
from nettrain.nn.activation import Activation
from nettrain.nn.bound_layer import BoundLayer, bind, name_layers, resolve
from nettrain.nn.composite import Composite
from nettrain.nn.layer import Layer, Scope
from nettrain.nn.parameter import Shape


@dataclass(frozen=True, kw_only=True)
class Residual(Composite):
    """y = x + f(x), f being the layers one after the other; with a projection y = p(x) + f(x), p linear.  He et al. 2016, eq. 1 and 2.

    The projection gives x the shape of f(x): of images a convolution 1 x 1 with a stride, of other rows a product, both without a bias
    (option B of the paper's section 4.1); where f normalizes with batch_norm, so does the projection. Its layers are named projection.
    """

    layers: Annotated[
        tuple[Layer, ...],
        Field(
            min_length=1,
            description="f, in this order; the name of an activation stands for its layer",
            examples=[[{"type": "dense", "units": 64}, "relu", {"type": "dense", "units": 64}]],
        ),
    ]
    projection: Annotated[
        Flag | None,
        Field(
            description="whether the way around projects; null: where the shapes of x and f(x) differ"
        ),
    ] = None

    def with_next_activation(self, activation: Activation | None) -> Layer:
        return self.replace(layers=tuple(resolve(self.layers, activation)))

    def bind_branches(self, shape: Shape) -> list[list[BoundLayer]]:
        layers = bind(self.layers, shape)
        around = bind(self._around(shape, layers[-1].output_shape), shape)
        return [
            layers,
            [dataclasses.replace(bound, name=f"projection.{bound.name}") for bound in around],
        ]

    def _around(self, shape: Shape, wanted: Shape) -> list[Layer]:
        """The layers of the projection: none where x goes around as it is."""
        if not self.projection and (shape == wanted or self.projection is False):
            return []
        projection = _projection(shape, wanted)
        if projection is None:
            return []
        normalized = any(isinstance(layer, BatchNorm) for layer in self.layers)
        return resolve([projection, *([BatchNorm()] if normalized else [])])

    def output_shape(self, shape: Shape) -> Shape:
        layers, around = self.bind_branches(shape)
        found = layers[-1].output_shape
        if (around[-1].output_shape if around else shape) == found:
            return found
        told = f"residual adds its input to what its layers give: rows of shape {shape} go in, {found} come out"
        if self.projection is False and _projection(shape, found) is not None:
            raise ConfigError(
                f"{told}: leave `projection: false` out, or let the layers keep the shape"
            )
        raise ConfigError(
            f"{told}, and no projection makes the one of the other: it changes channels, and divides height and width"
        )

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        y = scope.forward(name_layers(self.layers), x)
        around = name_layers(self._around(x.shape[1:], y.shape[1:]))
        return scope.child("projection").forward(around, x) + y


def _projection(shape: Shape, wanted: Shape) -> Layer | None:
    """The layer that makes rows of the wanted shape, where there is one."""
    if len(shape) == len(wanted) == 1:
        return Dense(units=wanted[0], bias=False)
    if len(shape) != 3 or len(wanted) != 3:
        return None
    down, across = _stride(shape[0], wanted[0]), _stride(shape[1], wanted[1])
    return (
        Conv(filters=wanted[2], kernel=1, stride=(down, across), bias=False)
        if down and across
        else None
    )


def _stride(size: int, few: int) -> int | None:
    """The least stride with which a window of one pixel has so many places."""
    return next((stride for stride in range(1, size + 1) if -(-size // stride) == few), None)
