"""Concatenation and padding."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nettrain.autodiff.primitive import Array, Linear, Primitive, Shape, Slots


@dataclass(frozen=True)
class Concatenate(Linear):
    """y = the inputs joined along an axis;  dx: the part of dy of each."""

    axis: int

    def infer(self, *shapes: Shape) -> Shape:
        """The sizes along the axis added up."""
        a = self.axis
        if any(
            len(s) != len(shapes[0]) or s[:a] + s[a + 1 :] != shapes[0][:a] + shapes[0][a + 1 :]
            for s in shapes
        ):
            given = " and ".join(map(str, shapes))
            raise ValueError(f"concatenate: shapes {given} differ elsewhere than on axis {a}")
        return (*shapes[0][:a], sum(s[a] for s in shapes), *shapes[0][a + 1 :])

    def forward(self, out: Array, *inputs: Array) -> None:
        np.concatenate(inputs, axis=self.axis, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, *inputs: Array) -> None:
        start = 0
        for dx, x in zip(grads, inputs, strict=True):
            end = start + x.shape[self.axis]
            if dx is not None:
                dx[...] = dy[(slice(None),) * self.axis + (slice(start, end),)]
            start = end


@dataclass(frozen=True)
class Pad(Primitive):
    """y = x with a constant around it;  dx: the middle of dy.  widths: (before, after) per axis."""

    widths: tuple[tuple[int, int], ...]
    value: float

    def infer(self, *shapes: Shape) -> Shape:
        """Each axis longer by its widths."""
        if len(self.widths) != len(shapes[0]):
            raise ValueError(f"pad: {len(self.widths)} widths do not fit the shape {shapes[0]}")
        if any(n < 0 for pair in self.widths for n in pair):
            raise ValueError(f"pad: widths must not be negative, got {self.widths}")
        return tuple(
            before + n + after for n, (before, after) in zip(shapes[0], self.widths, strict=True)
        )

    def _middle(self, y: Array) -> Array:
        middle: tuple[Any, ...] = tuple(
            slice(before, n - after)
            for n, (before, after) in zip(y.shape, self.widths, strict=True)
        )
        return y[(*middle, ...)]  # with the ellipsis even one element is an array

    def forward(self, out: Array, x: Array) -> None:
        out[...] = self.value
        self._middle(out)[...] = x

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        grads[0][...] = self._middle(dy)

    def tangent(self, dout: Array, dinputs: Slots, out: Array, x: Array) -> None:
        """J dx = dx with zeros around it."""
        dout[...] = 0
        self._middle(dout)[...] = dinputs[0]
