"""Residual block: layers with a shortcut around them."""

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
    """Residual block. y = x + f(x), or y = p(x) + f(x) with a linear projection p.

    f: the layers, one after the other. The projection gives x the shape of f(x): a 1 x 1
    convolution with a stride for images, else a product, without a bias (option B of the paper's
    section 4.1); where f has batch_norm, the projection has it too. Its layers are named
    projection. He et al. 2016, eq. 1 and 2.
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
        Field(description="whether x is projected; null: where the shapes of x and f(x) differ"),
    ] = None

    def with_next_activation(self, activation: Activation | None) -> Layer:
        return self.replace(layers=tuple(resolve(self.layers, activation)))

    def bind_branches(self, shape: Shape) -> list[list[BoundLayer]]:
        layers = bind(self.layers, shape)
        shortcut = bind(self._shortcut(shape, layers[-1].output_shape), shape)
        return [
            layers,
            [dataclasses.replace(bound, name=f"projection.{bound.name}") for bound in shortcut],
        ]

    def _shortcut(self, shape: Shape, output_shape: Shape) -> list[Layer]:
        """Returns the layers of the projection: none where the shortcut is the identity."""
        if not self.projection and (shape == output_shape or self.projection is False):
            return []
        projection = _projection(shape, output_shape)
        if projection is None:
            return []
        normalized = any(isinstance(layer, BatchNorm) for layer in self.layers)
        return resolve([projection, *([BatchNorm()] if normalized else [])])

    def output_shape(self, shape: Shape) -> Shape:
        layers, shortcut = self.bind_branches(shape)
        output_shape = layers[-1].output_shape
        if (shortcut[-1].output_shape if shortcut else shape) == output_shape:
            return output_shape
        problem = (
            "residual adds its input to the output of its layers: rows of shape "
            f"{shape} go in, {output_shape} come out"
        )
        if self.projection is False and _projection(shape, output_shape) is not None:
            raise ConfigError(
                f"{problem}: leave `projection: false` out, or let the layers keep the shape"
            )
        raise ConfigError(
            f"{problem}, and no projection makes the one of the other: it changes channels, and "
            "divides height and width"
        )

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        y = scope.forward(name_layers(self.layers), x)
        shortcut = name_layers(self._shortcut(x.shape[1:], y.shape[1:]))
        return scope.child("projection").forward(shortcut, x) + y


def _projection(shape: Shape, output_shape: Shape) -> Layer | None:
    """Returns the layer that makes rows of the output shape, where there is one."""
    if len(shape) == len(output_shape) == 1:
        return Dense(units=output_shape[0], bias=False)
    if len(shape) != 3 or len(output_shape) != 3:
        return None
    h, w, filters = output_shape
    down, across = _stride(shape[0], h), _stride(shape[1], w)
    if down is None or across is None:
        return None
    return Conv(filters=filters, kernel=1, stride=(down, across), bias=False)


def _stride(size: int, output_size: int) -> int | None:
    """Returns the smallest stride with which windows of one pixel give this size."""
    return next(
        (stride for stride in range(1, size + 1) if -(-size // stride) == output_size), None
    )
