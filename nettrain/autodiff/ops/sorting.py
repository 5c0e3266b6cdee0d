"""Sorting along the last axis."""

import numpy as np

from nettrain.autodiff.primitive import Array, Primitive, Scratch, Shape, Slots


class Sort(Primitive):
    """y = x in rising order along its last axis;  dx: dy at the places that the numbers came from.

    Equal numbers keep their order. PyTorch: torch.sort(stable=True).
    """

    reads = ("order",)

    def infer(self, *shapes: Shape) -> Shape:
        """Unchanged."""
        return shapes[0]

    def scratch(self, *shapes: Shape) -> Scratch:
        """order: where each number of y stands in x."""
        return {"order": (shapes[0], np.intp)}

    def forward(self, out: Array, x: Array, *, order: Array) -> None:
        order[...] = np.argsort(x, axis=-1, kind="stable")
        out[...] = np.take_along_axis(x, order, axis=-1)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array, *, order: Array) -> None:
        np.put_along_axis(grads[0], order, dy, axis=-1)

    def tangent(self, dout: Array, dinputs: Slots, out: Array, x: Array, *, order: Array) -> None:
        """dx in the order of y."""
        dout[...] = np.take_along_axis(dinputs[0], order, axis=-1)
