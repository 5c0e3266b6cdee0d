"""Sum, maximum and minimum along the last axis; other axes are brought there by views."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from nettrain.autodiff.primitive import Array, Linear, Primitive, Scratch, Shape, Slots


class Sum(Linear):
    """y = sum_k x[..., k];  dx[..., k] = dy."""

    def infer(self, *shapes: Shape) -> Shape:
        """Without the last axis."""
        return shapes[0][:-1]

    def forward(self, out: Array, x: Array) -> None:
        np.add.reduce(x, axis=-1, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        grads[0][...] = dy[..., None]


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
        """index: where the element stands."""
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
