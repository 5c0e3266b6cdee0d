"""The base of all architectures: a `model:` section that expands to a plain list of layers."""

from abc import abstractmethod

from nettrain.component import Component
from nettrain.nn.layer import Layer
from nettrain.nn.parameter import Shape


class Architecture(Component):
    """A shorthand for a list of layers; `check` prints what it stands for."""

    kind = "model"
    package = "nettrain.models"

    @abstractmethod
    def expand(self, shape: Shape, outputs: int, dropout: float) -> list[Layer]:
        """The layers for rows of this shape; `dropout` is `regularization.dropout`."""
