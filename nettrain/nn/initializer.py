"""The base of all initializers: how a parameter's first values are drawn."""
from abc import abstractmethod

import numpy as np

from nettrain.component import Component


class Initializer(Component):
    """Draws a parameter's first values from its own random stream."""

    kind = "initializer"
    package = "nettrain.initializers"

    @abstractmethod
    def sample(self, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator) -> np.ndarray:
        """Values (float64) of one parameter; fan_in inputs reach each output, fan_out outputs are reached from each input."""
