"""What layers have in common that make several numbers of each."""

import dataclasses
from abc import abstractmethod

from nettrain.errors import ConfigError
from nettrain.nn.layer import TrainedLayer
from nettrain.nn.parameter import Parameter, Shape


class FeatureEmbedding(TrainedLayer):
    """Maps each feature to numbers of its own: x (n, d) -> y (n, d size), feature by feature."""

    independent_rows = True

    @abstractmethod
    def embedded(self, shape: Shape) -> int:
        """Returns the numbers that a feature becomes."""

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        return {
            name: dataclasses.replace(array, group="embedding")
            for name, array in super().parameters(shape).items()
        }

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise ConfigError(
                f"{self.name()} takes rows of numbers, got rows of shape {shape}: put it in front "
                "of the other layers of a table"
            )
        return (shape[0] * self.embedded(shape),)
