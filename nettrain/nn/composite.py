"""Layers made of layers."""

from abc import abstractmethod

import numpy as np

from nettrain.nn.layer import Layer
from nettrain.nn.parameter import Parameter, Shape
from nettrain.nn.place import Placed, receptive_field_of
from nettrain.nn.receptive_field import ReceptiveField


class Composite(Layer):
    """A layer that holds others: their names, parameters, state and work are its own, under its name (`residual_1.dense_1.w`)."""

    @abstractmethod
    def bind_branches(self, shape: Shape) -> list[list[Placed]]:
        """The ways through this layer for inputs of this shape, each with its layers, their names being paths below this layer."""

    def inside(self, shape: Shape) -> list[Placed]:
        """All layers inside."""
        return [placed for way in self.bind_branches(shape) for placed in way]

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Those of the layers inside."""
        return {
            f"{placed.name}.{key}": p
            for placed in self.inside(shape)
            for key, p in placed.parameters.items()
        }

    def state(self, shape: Shape) -> dict[str, np.ndarray]:
        """That of the layers inside."""
        return {
            f"{placed.name}.{key}": array
            for placed in self.inside(shape)
            for key, array in placed.state.items()
        }

    def min_batch_size(self, shape: Shape) -> int:
        """The most that a layer inside asks for."""
        return max(
            (placed.layer.min_batch_size(placed.input_shape) for placed in self.inside(shape)),
            default=1,
        )

    def shardable(self, shape: Shape) -> bool:
        """Whether all layers inside are."""
        return all(placed.layer.shardable(placed.input_shape) for placed in self.inside(shape))

    def flops(self, shape: Shape) -> int:
        """Those of the layers inside."""
        return sum(placed.layer.flops(placed.input_shape) for placed in self.inside(shape))

    def receptive_field(self, shape: Shape) -> ReceptiveField:
        """The largest of the ways."""
        first, *others = [receptive_field_of(way) for way in self.bind_branches(shape)]
        for other in others:
            first = first.beside(other)
        return first
