"""Dropout."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.compiled import compiles, contiguous
from nettrain.autodiff.philox import fill_uniform
from nettrain.autodiff.primitive import Array, Call, Primitive, Scratch, Shape, Slots
from nettrain.jit import jit


@dataclass(frozen=True)
class Dropout(Primitive):
    """y = x mask, mask = 1 / (1 - p) with probability 1 - p, else 0;  dx = dy mask.

    Srivastava et al. 2014, in the inverted form: evaluation needs no scaling. The engine sets the
    generator to the stream of the step before each step. A function for p is asked in each.
    """

    in_place = (0,)
    gradient_in_place = True

    share: float | Callable[[], float]
    generator: np.random.Generator
    reads = ("mask",)

    def infer(self, *shapes: Shape) -> Shape:
        """Unchanged."""
        return shapes[0]

    def scratch(self, *shapes: Shape) -> Scratch:
        """mask: 0 or 1 / (1 - p)."""
        return {"mask": (shapes[0], None)}

    def forward(self, out: Array, x: Array, *, mask: Array) -> None:
        self.generator.random(dtype=mask.dtype.type, out=mask)
        share = self.share() if callable(self.share) else self.share
        np.greater_equal(mask, share, out=mask)
        mask *= 1 / (1 - share)
        np.multiply(x, mask, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array, *, mask: Array) -> None:
        np.multiply(dy, mask, out=grads[0])

    def tangent(self, dout: Array, dinputs: Slots, out: Array, x: Array, *, mask: Array) -> None:
        """J dx = dx mask."""
        np.multiply(dinputs[0], mask, out=dout)


@jit
def _drop_loop(out: Array, x: Array, mask: Array, share: float) -> None:
    kind = mask.dtype.type
    least, scale, zero = kind(share), kind(1 / (1 - share)), kind(0)
    for i in range(mask.size):
        mask[i] = scale if mask[i] >= least else zero
        out[i] = x[i] * mask[i]


@compiles(Dropout)
class CompiledDropout(Dropout):
    """The draws in a loop, then mask and product in another."""

    def forward_calls(self, out: Array, x: Array, *, mask: Array) -> list[Call]:
        if not contiguous(x):
            return super().forward_calls(out, x, mask=mask)
        draw: Call = (fill_uniform, (self.generator, mask), {})
        return [draw, (self._drop, (out.reshape(-1), x.reshape(-1), mask.reshape(-1)), {})]

    def _drop(self, out: Array, x: Array, mask: Array) -> None:
        _drop_loop(out, x, mask, float(self.share() if callable(self.share) else self.share))

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, *, mask: Array
    ) -> list[Call]:
        return [(np.multiply, (dy, mask, grads[0]), {})]


@dataclass(frozen=True)
class SpatialDropout(Dropout):
    """Dropout of whole channels of a row.  x (n, ..., c), mask (n, 1, ..., 1, c).

    Tompson et al. 2015: neighbouring pixels are so similar that dropping single ones has little
    effect.
    """

    def scratch(self, *shapes: Shape) -> Scratch:
        """mask: 0 or 1 / (1 - p), for each row and channel."""
        n, *places, c = shapes[0]
        return {"mask": ((n, *(1 for _ in places), c), None)}
