"""A factor for each of a row's elements."""

from typing import Any

import numpy as np

from nettrain.autodiff.compiled import call, compiles, contiguous
from nettrain.autodiff.primitive import (
    Array,
    Call,
    DefinedByCalls,
    Multilinear,
    Scratch,
    Shape,
    Slots,
)
from nettrain.jit import jit


class Scale(Multilinear, DefinedByCalls):
    """y = x s;  dx = dy s, ds = sum over rows of x dy: fusion makes it of a repeated s.

    Bitwise identical to its operations one after the other. x (n, ..., *shape of s) -> y like x.
    """

    reads = (0, 1)
    gradient_in_place = True

    def infer(self, *shapes: Shape) -> Shape:
        """That of x."""
        x, s = shapes
        if not s or x[-len(s) :] != s:
            raise ValueError(f"scale takes x (n, ..., *s) and s, got shapes {x} and {s}")
        return x

    def scratch(self, *shapes: Shape) -> Scratch:
        """part: x dy."""
        return {"part": (shapes[0], None)}

    def forward_calls(self, out: Array, x: Array, s: Array, **scratch: Array) -> list[Call]:
        """The product."""
        return [(np.multiply, (x, s, out), {})]

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, s: Array, *, part: Array
    ) -> list[Call]:
        """First ds, as dx may be written over dy."""
        dx, ds = grads
        over: Any = tuple(range(x.ndim - s.ndim))
        calls: list[Call] = []
        if ds is not None:
            calls.append((np.multiply, (dy, x, part), {}))
            calls.append((np.add.reduce, (part, over, None, ds), {}))
        if dx is not None:
            calls.append((np.multiply, (dy, s, dx), {}))
        return calls


@jit
def _scale_loop(y: Array, x: Array, s: Array) -> None:
    for i in range(x.shape[0]):
        for j in range(s.size):
            y[i, j] = x[i, j] * s[j]


@jit
def _scale_gradient_loop(dx: Array, ds: Array, dy: Array, x: Array, s: Array) -> None:
    ds[:] = 0
    for i in range(x.shape[0]):
        for j in range(s.size):
            d = dy[i, j]
            ds[j] += d * x[i, j]
            dx[i, j] = d * s[j]


@compiles(Scale)
class CompiledScale(Scale):
    """One loop forward, and one for both gradients."""

    def forward_calls(self, out: Array, x: Array, s: Array, **scratch: Array) -> list[Call]:
        if not s.size or not contiguous(x, s):
            return super().forward_calls(out, x, s, **scratch)
        y, x = (a.reshape(-1, s.size) for a in (out, x))
        return [call(_scale_loop, y, x, s.reshape(-1))]

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, s: Array, *, part: Array
    ) -> list[Call]:
        dx, ds = grads
        if dx is None or ds is None or not s.size or not contiguous(dx, ds, dy, x, s):
            return super().backward_calls(grads, dy, out, x, s, part=part)
        dx, dy, x = (a.reshape(-1, s.size) for a in (dx, dy, x))
        return [call(_scale_gradient_loop, dx, ds.reshape(-1), dy, x, s.reshape(-1))]
