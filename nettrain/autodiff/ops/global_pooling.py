"""Global pooling of images, channels last: the mean or the maximum of all pixels."""

import numpy as np

from nettrain.autodiff.compiled import call, compiles, contiguous
from nettrain.autodiff.primitive import Array, Call, Linear, Primitive, Scratch, Shape, Slots
from nettrain.jit import jit


class _Global(Primitive):
    """The base of pools of all pixels.  x (n, h, w, c) -> y (n, c)."""

    def infer(self, *shapes: Shape) -> Shape:
        """(n, c)."""
        x = shapes[0]
        if len(x) != 4 or x[1] * x[2] == 0:
            raise ValueError(
                f"global pooling: takes images (n, h, w, c) of at least one pixel, got {x}"
            )
        return (x[0], x[3])


class GlobalAveragePool(_Global, Linear):
    """y[c] = sum_pq x[p, q, c] / (h w);  dx[p, q, c] = dy[c] / (h w)."""

    def forward(self, out: Array, x: Array) -> None:
        np.add.reduce(x, axis=(1, 2), out=out)
        out *= 1 / (x.shape[1] * x.shape[2])

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        np.multiply(dy[:, None, None], 1 / (x.shape[1] * x.shape[2]), out=grads[0])


@jit
def _mean_loop(out: Array, x: Array) -> None:
    n, h, w, c = x.shape
    weight = out.dtype.type(1 / (h * w))
    for k in range(n):
        y = out[k]
        y[:] = 0
        for i in range(h):
            for j in range(w):
                for m in range(c):
                    y[m] += x[k, i, j, m]
        for m in range(c):
            y[m] *= weight


@jit
def _mean_gradient_loop(dx: Array, dy: Array) -> None:
    n, h, w, c = dx.shape
    weight = dy.dtype.type(1 / (h * w))
    for k in range(n):
        for i in range(h):
            for j in range(w):
                for m in range(c):
                    dx[k, i, j, m] = dy[k, m] * weight


@compiles(GlobalAveragePool)
class CompiledGlobalAveragePool(GlobalAveragePool):
    """One loop forward and one backward."""

    def forward_calls(self, out: Array, x: Array) -> list[Call]:
        if not contiguous(x):
            return super().forward_calls(out, x)
        return [call(_mean_loop, out, x)]

    def backward_calls(self, grads: Slots, dy: Array, out: Array, x: Array) -> list[Call]:
        if not contiguous(*grads, dy):
            return super().backward_calls(grads, dy, out, x)
        return [call(_mean_gradient_loop, grads[0], dy)]


class GlobalMaxPool(_Global):
    """y[c] = max_pq x[p, q, c];  dx: dy at the first maximum of each channel, row by row."""

    reads = ("places",)

    def scratch(self, *shapes: Shape) -> Scratch:
        """by_channel: x, channels first; places: of the maxima in the flat x; first: of images."""
        n, h, w, c = shapes[0]
        return {
            "by_channel": ((n, c, h * w), None),
            "places": ((n, c), np.intp),
            "first": ((n, c), np.intp),
        }

    def forward(
        self, out: Array, x: Array, *, by_channel: Array, places: Array, first: Array
    ) -> None:
        n, h, w, c = x.shape
        np.copyto(by_channel.reshape(n, c, h, w), x.transpose(0, 3, 1, 2))
        np.maximum.reduce(by_channel, axis=-1, out=out)
        np.argmax(by_channel, axis=-1, out=places)
        places *= c
        first.fill(1)
        np.cumsum(first, axis=1, out=first)
        first -= 1
        places += first
        first.fill(h * w * c)
        np.cumsum(first, axis=0, out=first)
        first -= h * w * c
        places += first

    def backward(
        self, grads: Slots, dy: Array, out: Array, x: Array, *, places: Array, **scratch: Array
    ) -> None:
        dx = grads[0]
        dx[...] = 0
        np.put(dx, places, dy)

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, x: Array, *, places: Array, **scratch: Array
    ) -> None:
        """J dx = dx at each first maximum."""
        np.take(dinputs[0], places, out=dout, mode="clip")
