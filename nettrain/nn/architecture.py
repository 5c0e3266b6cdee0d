"""The base of all architectures: a `model:` section that expands to a list of layers."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from nettrain.component import Component
from nettrain.nn.layer import Layer
from nettrain.nn.loss import Loss
from nettrain.nn.parameter import Shape
from nettrain.schedules import Number


class Architecture(Component):
    """A shorthand for a list of layers; `nettrain check` prints the layers.

    Attributes:
        settings: keys of the whole configuration, as YAML has them, that the model brings: what a
            configuration leaves out is taken from here, as if it extended a file with them.
        target_transforms: of regression targets, where `dataset.target_transforms` names none.
    """

    kind = "model"
    package = "nettrain.models"
    settings: ClassVar[Mapping[str, object]] = {}
    target_transforms: ClassVar[tuple[str, ...]] = ("standardize",)

    def for_task(self, task: str) -> "Architecture":
        """Returns this architecture with its open choices made for a task.

        Args:
            task: classification, multilabel or regression.
        """
        return self

    def default_loss(self, task: str) -> Loss | None:
        """Returns the loss of a configuration that names none; None: that of the task."""
        return None

    @abstractmethod
    def expand(self, shape: Shape, outputs: int, dropout: Number) -> list[Layer]:
        """Returns the layers.

        Args:
            shape: of one input row.
            outputs: units of the output layer.
            dropout: the rate `regularization.dropout`.
        """
