"""Layers made of layers."""
from abc import abstractmethod

import numpy as np

from nettrain.nn.layer import Layer
from nettrain.nn.parameter import Parameter, Shape
from nettrain.nn.place import Placed


class Composite(Layer):
    """A layer that holds others: their names, parameters, state and work are its own, under its name (`residual_1.dense_1.w`)."""

    @abstractmethod
    def inside(self, shape: Shape) -> list[Placed]:
        """The layers inside for inputs of this shape, their names being paths below this layer."""

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Those of the layers inside."""
        return {f"{placed.name}.{key}": p for placed in self.inside(shape) for key, p in placed.parameters.items()}

    def state(self, shape: Shape) -> dict[str, np.ndarray]:
        """That of the layers inside."""
        return {f"{placed.name}.{key}": array for placed in self.inside(shape) for key, array in placed.state.items()}

    def least_rows(self, shape: Shape) -> int:
        """The most that a layer inside asks for."""
        return max((placed.layer.least_rows(placed.input_shape) for placed in self.inside(shape)), default=1)

    def shardable(self, shape: Shape) -> bool:
        """Whether all layers inside are."""
        return all(placed.layer.shardable(placed.input_shape) for placed in self.inside(shape))

    def flops(self, shape: Shape) -> int:
        """Those of the layers inside."""
        return sum(placed.layer.flops(placed.input_shape) for placed in self.inside(shape))
