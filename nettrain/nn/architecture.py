"""The base of all architectures: a `model:` section that expands to a list of layers."""

from abc import abstractmethod

from nettrain.component import Component
from nettrain.nn.layer import Layer
from nettrain.nn.parameter import Shape
from nettrain.schedules import Number


class Architecture(Component):
    """A shorthand for a list of layers; `nettrain check` prints the layers."""

    kind = "model"
    package = "nettrain.models"

    @abstractmethod
    def expand(self, shape: Shape, outputs: int, dropout: Number) -> list[Layer]:
        """Returns the layers.

        Args:
            shape: of one input row.
            outputs: units of the output layer.
            dropout: the rate `regularization.dropout`.
        """
