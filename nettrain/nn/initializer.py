"""The base of all initializers: how a parameter's first values are drawn."""

import math
from abc import abstractmethod

import numpy as np

from nettrain.component import Component


class Initializer(Component):
    """Draws a parameter's first values from its own random stream."""

    kind = "initializer"
    package = "nettrain.initializers"

    @abstractmethod
    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator
    ) -> np.ndarray:
        """Values (float64) of one parameter; fan_in inputs reach each output, fan_out outputs are reached from each input."""


def draw(
    distribution: str, deviation: float, shape: tuple[int, ...], generator: np.random.Generator
) -> np.ndarray:
    """Values of mean 0 and the given standard deviation; a uniform distribution on [-a, a] has the deviation a / sqrt 3."""
    if distribution == "normal":
        return generator.normal(0.0, deviation, shape)
    return generator.uniform(-deviation * math.sqrt(3), deviation * math.sqrt(3), shape)
