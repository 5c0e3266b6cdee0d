"""The base of all activations."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from nettrain.autodiff.tensor import Tensor
from nettrain.component import Component
from nettrain.nn.parameter import Parameter, Shape


class Activation(Component):
    """A function applied to the outputs of a layer; most work element by element.

    Attributes:
        initializer: the initializer that keeps the variance of the signal through a layer before
            this activation: `he` for the relu family (He et al. 2015, eq. 10), `lecun` for selu,
            `xavier` for the rest (Glorot & Bengio 2010, eq. 16).
        bounds: the values that the outputs approach while the derivative vanishes: a unit there is
            saturated.
        rectifies: whether output and derivative are 0 over a whole range of inputs: a unit that
            stays there is dead.
    """

    kind = "activation"
    package = "nettrain.activations"
    initializer: ClassVar[str] = "xavier"
    bounds: ClassVar[tuple[float, float] | None] = None
    rectifies: ClassVar[bool] = False

    @abstractmethod
    def apply(self, x: Tensor) -> Tensor:
        """Returns the activation of x, of the same shape, with its parameters as they start."""

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Returns the trained parameters for inputs of this shape; most have none."""
        return {}

    def apply_with(self, x: Tensor, parameters: Mapping[str, Tensor]) -> Tensor:
        """Returns the activation of x with its current parameters."""
        return self.apply(x)
