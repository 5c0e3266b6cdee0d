"""Sum, maximum and minimum along the last axis; other axes are brought there by views."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from nettrain.autodiff.compiled import call, compiles
from nettrain.autodiff.primitive import Array, Call, Linear, Primitive, Scratch, Shape, Slots
from nettrain.jit import jit, jit_sum


class Sum(Linear):
    """y = sum_k x[..., k];  dx[..., k] = dy."""

    def infer(self, *shapes: Shape) -> Shape:
        """Without the last axis."""
        return shapes[0][:-1]

    def forward(self, out: Array, x: Array) -> None:
        np.add.reduce(x, axis=-1, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        grads[0][...] = dy[..., None]


@jit_sum
def row_sum(x: Array, i: int) -> float:
    """The sum of row i."""
    total = x.dtype.type(0)
    for j in range(x.shape[1]):
        total += x[i, j]
    return total


@jit
def _totals_loop(out: Array, x: Array) -> None:
    for i in range(x.shape[0]):
        out[i] = row_sum(x, i)


@compiles(Sum)
class CompiledSum(Sum):
    """All sums in one loop: half a microsecond less, for a few numbers."""

    def forward_calls(self, out: Array, x: Array) -> list[Call]:
        if not x.flags.c_contiguous:
            return super().forward_calls(out, x)
        return [call(_totals_loop, out.reshape(-1), x.reshape(out.size, x.shape[-1]))]


class _Extreme(Primitive):
    """The largest or smallest element: the whole gradient goes to it, to the first of equals."""

    reads = ("index",)
    find: ClassVar[Callable[..., Any]]

    def infer(self, *shapes: Shape) -> Shape:
        """Without the last axis."""
        if shapes[0][-1] == 0:
            raise ValueError(f"no element to choose from along the last axis of {shapes[0]}")
        return shapes[0][:-1]

    def scratch(self, *shapes: Shape) -> Scratch:
        """index: of the element."""
        return {"index": (shapes[0][:-1], np.intp)}

    def forward(self, out: Array, x: Array, *, index: Array) -> None:
        self.find(x, axis=-1, out=index)
        out[...] = np.take_along_axis(x, index[..., None], axis=-1)[..., 0]

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array, *, index: Array) -> None:
        dx = grads[0]
        dx[...] = 0
        np.put_along_axis(dx, index[..., None], dy[..., None], axis=-1)

    def tangent(self, dout: Array, dinputs: Slots, out: Array, x: Array, *, index: Array) -> None:
        dout[...] = np.take_along_axis(dinputs[0], index[..., None], axis=-1)[..., 0]


class Max(_Extreme):
    """y = max_k x[..., k];  dx is dy at the first largest element, 0 elsewhere."""

    find = staticmethod(np.argmax)


class Min(_Extreme):
    """y = min_k x[..., k];  dx is dy at the first smallest element, 0 elsewhere."""

    find = staticmethod(np.argmin)
