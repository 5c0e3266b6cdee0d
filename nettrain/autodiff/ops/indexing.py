"""Indexing by integer arrays: linear in the first input; indices have no derivative."""

from typing import Any

import numpy as np

from nettrain.autodiff.primitive import Array, Primitive, Scratch, Shape, Slots


class _Indexing(Primitive):
    """Linear in the first input."""

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, x: Array, *indices: Array, **scratch: Any
    ) -> None:
        """The same elements of dx."""
        self.forward(dout, dinputs[0], *indices, **scratch)


class Gather(_Indexing):
    """y = x[i, j, ...], i, j ... integer arrays of one shape;  dx: dy there, added up for repeats.

    The indices are on the leading axes.
    """

    reads = tuple(range(1, 65))  # the indices, as many as there are: an array has 64 axes at most

    def infer(self, *shapes: Shape) -> Shape:
        """The shape of the indices, then the axes of x that they leave."""
        x, *indices = shapes
        if len(indices) > len(x):
            raise ValueError(f"{len(indices)} indices do not fit a tensor of shape {x}")
        return indices[0] + x[len(indices) :]

    def forward(self, out: Array, x: Array, *indices: Array) -> None:
        out[...] = x[indices]

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array, *indices: Array) -> None:
        dx = grads[0]
        dx[...] = 0
        np.add.at(dx, indices, dy)


class Pick(_Indexing):
    """y[i] = x[i, index[i]];  dx: dy there, 0 elsewhere.  x (n, k), index (n,) -> y (n,)."""

    reads = ("places",)

    def scratch(self, *shapes: Shape) -> Scratch:
        """places: i k + index[i], the positions in the flat x."""
        return {"places": (shapes[1], np.intp)}

    def infer(self, *shapes: Shape) -> Shape:
        """(n,)."""
        x, index = shapes
        if len(x) != 2 or index != x[:1]:
            raise ValueError(f"pick takes scores (n, k) and indices (n,), got {x} and {index}")
        return index

    def forward(self, out: Array, x: Array, index: Array, *, places: Array) -> None:
        k = x.shape[1]
        places.fill(k)
        np.add.accumulate(places, out=places)
        places -= k
        places += index
        x.take(places, None, out, "clip")  # np.take looks for other arrays first: 0.5 us

    def backward(
        self, grads: Slots, dy: Array, out: Array, x: Array, index: Array, *, places: Array
    ) -> None:
        dx = grads[0]
        dx[...] = 0
        dx.put(places, dy)
