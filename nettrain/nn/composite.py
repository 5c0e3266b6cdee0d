"""Layers made of layers."""

from abc import abstractmethod

import numpy as np

from nettrain.nn.bound_layer import BoundLayer, receptive_field_of
from nettrain.nn.layer import Layer
from nettrain.nn.parameter import Parameter, Shape
from nettrain.nn.receptive_field import ReceptiveField


class Composite(Layer):
    """A layer that holds others: their names, parameters, state and work are its own, under its name (`residual_1.dense_1.w`)."""

    @abstractmethod
    def bind_branches(self, shape: Shape) -> list[list[BoundLayer]]:
        """The ways through this layer for inputs of this shape, each with its layers, their names being paths below this layer."""

    def inside(self, shape: Shape) -> list[BoundLayer]:
        """All layers inside."""
        return [bound for way in self.bind_branches(shape) for bound in way]

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Those of the layers inside."""
        return {
            f"{bound.name}.{key}": p
            for bound in self.inside(shape)
            for key, p in bound.parameters.items()
        }

    def state(self, shape: Shape) -> dict[str, np.ndarray]:
        """That of the layers inside."""
        return {
            f"{bound.name}.{key}": array
            for bound in self.inside(shape)
            for key, array in bound.state.items()
        }

    def min_batch_size(self, shape: Shape) -> int:
        """The most that a layer inside asks for."""
        return max(
            (bound.layer.min_batch_size(bound.input_shape) for bound in self.inside(shape)),
            default=1,
        )

    def shardable(self, shape: Shape) -> bool:
        """Whether all layers inside are."""
        return all(bound.layer.shardable(bound.input_shape) for bound in self.inside(shape))

    def flops(self, shape: Shape) -> int:
        """Those of the layers inside."""
        return sum(bound.layer.flops(bound.input_shape) for bound in self.inside(shape))

    def receptive_field(self, shape: Shape) -> ReceptiveField:
        """The largest of the ways."""
        first, *others = [receptive_field_of(way) for way in self.bind_branches(shape)]
        for other in others:
            first = first.union(other)
        return first
