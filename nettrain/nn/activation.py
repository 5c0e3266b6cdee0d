"""The base of all activations: what a unit does with its weighted sum."""
from abc import abstractmethod
from typing import ClassVar

from nettrain.autodiff.tensor import Tensor
from nettrain.component import Component


class Activation(Component):
    """A function of each row; most work element by element.

    initializer  what keeps the signal's variance through a layer in front of this activation: `he` for the relu family
                 (He et al. 2015, eq. 10), `xavier` for the rest (Glorot & Bengio 2010, eq. 16)
    bounds       the values between which the outputs lie and towards which the derivative vanishes: a unit there is saturated
    rectifies    whether it is 0, with the derivative 0, over a whole range of inputs: a unit that stays there is dead
    """

    kind = "activation"
    package = "nettrain.activations"
    initializer: ClassVar[str] = "xavier"
    bounds: ClassVar[tuple[float, float] | None] = None
    rectifies: ClassVar[bool] = False

    @abstractmethod
    def apply(self, x: Tensor) -> Tensor:
        """The activation of x, of the same shape."""
