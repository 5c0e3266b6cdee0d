"""The base of all initializers: how the initial values of a parameter are drawn."""

import math
from abc import abstractmethod

import numpy as np

from nettrain.component import Component


class Initializer(Component):
    """Draws the initial values of a parameter from a random stream of its own."""

    kind = "initializer"
    package = "nettrain.initializers"

    @abstractmethod
    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator
    ) -> np.ndarray:
        """Returns the initial values of one parameter, in float64.

        Args:
            shape: of the parameter.
            fan_in: inputs that reach each output.
            fan_out: outputs that each input reaches.
            generator: the random stream.
        """


def draw(
    distribution: str, deviation: float, shape: tuple[int, ...], generator: np.random.Generator
) -> np.ndarray:
    """Returns values of mean 0 and the given standard deviation.

    A uniform distribution on [-a, a] has the standard deviation a / sqrt 3.
    """
    if distribution == "normal":
        return generator.normal(0.0, deviation, shape)
    return generator.uniform(-deviation * math.sqrt(3), deviation * math.sqrt(3), shape)
