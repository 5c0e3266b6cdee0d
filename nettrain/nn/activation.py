"""The base of all activations: what a unit does with its weighted sum."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from nettrain.autodiff.tensor import Tensor
from nettrain.component import Component
from nettrain.nn.parameter import Parameter, Shape


class Activation(Component):
    """A function of each row; most work element by element.

    initializer  what keeps the signal's variance through a layer in front of this activation: `he` for the relu family
                 (He et al. 2015, eq. 10), `lecun` for selu, `xavier` for the rest (Glorot & Bengio 2010, eq. 16)
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
        """The activation of x, of the same shape; where it has parameters, with these as they start."""

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """What is trained in it, for inputs of this shape; of most nothing."""
        return {}

    def apply_with(self, x: Tensor, parameters: Mapping[str, Tensor]) -> Tensor:
        """The activation of x, with its parameters as they are now."""
        return self.apply(x)
