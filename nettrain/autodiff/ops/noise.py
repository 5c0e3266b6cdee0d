"""Chance added to a computation."""

from dataclasses import dataclass, field

import numpy as np

from nettrain.autodiff.primitive import Array, ElementWise, Slots


@dataclass(frozen=True)
class GaussianNoise(ElementWise):
    """y = x + deviation e, e drawn from the normal distribution;  dx = dy. The engine sets the generator to its place before each step."""

    deviation: float
    generator: np.random.Generator = field(compare=False)

    def forward(self, out: Array, x: Array) -> None:
        self.generator.standard_normal(dtype=out.dtype.type, out=out)
        out *= self.deviation
        out += x

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        grads[0][...] = dy
