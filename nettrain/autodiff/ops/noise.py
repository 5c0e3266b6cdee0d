"""Gaussian noise."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.primitive import Array, ElementWise, Slots


@dataclass(frozen=True)
class GaussianNoise(ElementWise):
    """y = x + deviation e, e from the standard normal distribution;  dx = dy.

    The engine sets the generator to the stream of the step before each step. A function for the
    deviation is asked in each.
    """

    deviation: float | Callable[[], float]
    generator: np.random.Generator

    def forward(self, out: Array, x: Array) -> None:
        self.generator.standard_normal(dtype=out.dtype.type, out=out)
        out *= self.deviation() if callable(self.deviation) else self.deviation
        out += x

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        grads[0][...] = dy
