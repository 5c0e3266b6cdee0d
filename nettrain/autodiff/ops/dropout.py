"""Chance in a computation: dropout."""

from dataclasses import dataclass, field

import numpy as np

from nettrain.autodiff.primitive import Array, Primitive, Scratch, Shape, Slots


@dataclass(frozen=True)
class Dropout(Primitive):
    """y = x mask, mask = 1 / (1 - p) with probability 1 - p, else 0;  dx = dy mask.

    Srivastava et al. 2014, in the inverted form: nothing is left to do in evaluation. The generator is the engine's, which sets it
    to its place before each step.
    """

    in_place = (0,)
    gradient_in_place = True

    share: float
    generator: np.random.Generator = field(compare=False)
    reads = ("mask",)

    def infer(self, *shapes: Shape) -> Shape:
        """Unchanged."""
        return shapes[0]

    def scratch(self, *shapes: Shape) -> Scratch:
        """mask: 0 or 1 / (1 - p)."""
        return {"mask": (shapes[0], None)}

    def forward(self, out: Array, x: Array, *, mask: Array) -> None:
        self.generator.random(dtype=mask.dtype.type, out=mask)
        np.greater_equal(mask, self.share, out=mask)
        mask *= 1 / (1 - self.share)
        np.multiply(x, mask, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array, *, mask: Array) -> None:
        np.multiply(dy, mask, out=grads[0])

    def tangent(self, dout: Array, dinputs: Slots, out: Array, x: Array, *, mask: Array) -> None:
        """J dx = dx mask."""
        np.multiply(dinputs[0], mask, out=dout)


@dataclass(frozen=True)
class SpatialDropout(Dropout):
    """The same with one number of the mask for a whole channel of a row.  x (n, ..., c), mask (n, 1, ..., 1, c).

    Tompson et al. 2015: neighbouring pixels are so much alike that dropping them one by one is hardly noise.
    """

    def scratch(self, *shapes: Shape) -> Scratch:
        """mask: 0 or 1 / (1 - p), for each row and channel."""
        n, *places, c = shapes[0]
        return {"mask": ((n, *(1 for _ in places), c), None)}
