"""The base of layers that contain layers."""

from abc import abstractmethod

import numpy as np

from nettrain.errors import ConfigError
from nettrain.nn.bound_layer import BoundLayer, receptive_field_of
from nettrain.nn.layer import Layer
from nettrain.nn.parameter import Parameter, Shape
from nettrain.nn.receptive_field import ReceptiveField


class Composite(Layer):
    """A layer that contains others.

    Their names, parameters, state and work are its own, under its name: `residual_1.dense_1.w`.
    """

    @abstractmethod
    def bind_branches(self, shape: Shape) -> list[list[BoundLayer]]:
        """Returns the layers inside, bound: one list per branch through this layer.

        Their names are paths below this layer.

        Args:
            shape: of one input row.
        """

    def inside(self, shape: Shape) -> list[BoundLayer]:
        """Returns all layers inside."""
        found = [bound for branch in self.bind_branches(shape) for bound in branch]
        for bound in found:
            if bound.layer.ends_network:
                raise ConfigError(
                    f"{bound.name} cannot be inside a layer {self.name()}: make it the last of the "
                    "network"
                )
        return found

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Returns those of the layers inside."""
        return {
            f"{bound.name}.{key}": p
            for bound in self.inside(shape)
            for key, p in bound.parameters.items()
        }

    def state(self, shape: Shape) -> dict[str, np.ndarray]:
        """Returns that of the layers inside."""
        return {
            f"{bound.name}.{key}": array
            for bound in self.inside(shape)
            for key, array in bound.state.items()
        }

    def min_batch_size(self, shape: Shape) -> int:
        """Returns the largest that a layer inside asks for."""
        return max(
            (bound.layer.min_batch_size(bound.input_shape) for bound in self.inside(shape)),
            default=1,
        )

    def shardable(self, shape: Shape) -> bool:
        """Returns whether all layers inside are."""
        return all(bound.layer.shardable(bound.input_shape) for bound in self.inside(shape))

    def learns(self, shape: Shape) -> bool:
        """Returns whether a layer inside does."""
        return any(bound.layer.learns(bound.input_shape) for bound in self.inside(shape))

    def flops(self, shape: Shape) -> int:
        """Returns the sum over the layers inside."""
        return sum(bound.layer.flops(bound.input_shape) for bound in self.inside(shape))

    def receptive_field(self, shape: Shape) -> ReceptiveField:
        """Returns the largest of the branches."""
        field, *others = [receptive_field_of(branch) for branch in self.bind_branches(shape)]
        for other in others:
            field = field.union(other)
        return field
