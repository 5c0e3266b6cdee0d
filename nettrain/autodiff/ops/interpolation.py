"""Linear interpolation between pixels."""

from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.primitive import Array, Linear, Scratch, Shape, Slots


@dataclass(frozen=True)
class Interpolate(Linear):
    """y[f i + r] = (1 - |t|) x[i] + |t| x[i + sign t], t = (r + 1/2) / f - 1/2, r = 0 ... f - 1.

    Along one axis, f (`factor`) values per pixel: linear between the centres of pixels, constant
    beyond the outermost (x[i] is its own neighbour there). PyTorch: bilinear with
    align_corners=False, one axis after the other.
    """

    axis: int
    factor: int

    def infer(self, *shapes: Shape) -> Shape:
        """The axis `factor` times as long."""
        shape = shapes[0]
        return (*shape[: self.axis], self.factor * shape[self.axis], *shape[self.axis + 1 :])

    def scratch(self, *shapes: Shape) -> Scratch:
        """part: the contribution of the neighbours."""
        return {"part": (shapes[0], None)}

    def _at(self, x: Array, part: slice) -> Array:
        return x[(*(slice(None),) * self.axis, part)]

    def forward(self, out: Array, x: Array, *, part: Array) -> None:
        for r in range(self.factor):
            y, t = self._at(out, slice(r, None, self.factor)), (r + 0.5) / self.factor - 0.5
            np.multiply(x, 1 - abs(t), out=y)
            np.multiply(x, abs(t), out=part)
            for to, of in _neighbours(t):
                there = self._at(y, to)
                there += self._at(part, of)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array, *, part: Array) -> None:
        dx = grads[0]
        dx[...] = 0
        for r in range(self.factor):
            d, t = self._at(dy, slice(r, None, self.factor)), (r + 0.5) / self.factor - 0.5
            dx += np.multiply(d, 1 - abs(t), out=part)
            np.multiply(d, abs(t), out=part)
            for to, of in _neighbours(t):
                there = self._at(dx, of)
                there += self._at(part, to)


def _neighbours(t: float) -> tuple[tuple[slice, slice], ...]:
    """Pairs of slices: pixels and their neighbours on the side of t; the outermost has itself."""
    before, after, first, last = slice(-1), slice(1, None), slice(None, 1), slice(-1, None)
    if t < 0:
        return (after, before), (first, first)
    if t > 0:
        return (before, after), (last, last)
    return ()
