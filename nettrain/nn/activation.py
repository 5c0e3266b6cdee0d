"""The base of all activations: what a unit does with its weighted sum."""
from abc import abstractmethod
from typing import ClassVar

from nettrain.autodiff.tensor import Tensor
from nettrain.component import Component
from nettrain.nn.initializer import Initializer


class Activation(Component):
    """A function of each row; most work element by element.

    gain  the initializer that keeps the signal's variance through a layer in front of this activation: `he` for the relu family
          (He et al. 2015, eq. 10), `xavier` for the rest (Glorot & Bengio 2010, eq. 16)
    """

    kind = "activation"
    package = "nettrain.activations"
    initializer: ClassVar[str] = "xavier"

    @abstractmethod
    def apply(self, x: Tensor) -> Tensor:
        """The activation of x, of the same shape."""

    def preferred_initializer(self) -> Initializer:
        """The initializer for the weights of the layer in front."""
        return Initializer.parse(self.initializer)
