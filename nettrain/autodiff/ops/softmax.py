"""Softmax and its logarithms along the last axis, shifted by the maximum: no overflow."""

import numpy as np

from nettrain.autodiff.primitive import Array, Primitive, Scratch, Shape, Slots


def _shift(x: Array, peak: Array, out: Array) -> None:
    """out = x - max x; the maximum is kept in `peak` (..., 1)."""
    np.maximum.reduce(x, axis=-1, keepdims=True, out=peak)
    np.maximum(peak, np.finfo(peak.dtype).min, out=peak)  # a row of -inf: -inf - -inf would be NaN
    np.subtract(x, peak, out=out)


class Softmax(Primitive):
    """y = e^x / sum e^x;  dx = y (dy - sum dy y)."""

    reads = ("out",)

    def infer(self, *shapes: Shape) -> Shape:
        """Unchanged."""
        return shapes[0]

    def scratch(self, *shapes: Shape) -> Scratch:
        """total: a sum along the last axis."""
        return {"total": ((*shapes[0][:-1], 1), None)}

    def forward(self, out: Array, x: Array, *, total: Array) -> None:
        _shift(x, total, out)
        np.exp(out, out=out)
        out /= np.add.reduce(out, axis=-1, keepdims=True, out=total)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array, *, total: Array) -> None:
        dx = grads[0]
        np.multiply(dy, out, out=dx)
        np.add.reduce(dx, axis=-1, keepdims=True, out=total)
        np.subtract(dy, total, out=dx)
        dx *= out

    def tangent(self, dout: Array, dinputs: Slots, out: Array, x: Array, *, total: Array) -> None:
        """The Jacobian is symmetric: J dx = backward(dx)."""
        self.backward([dout], dinputs[0], out, x, total=total)


class LogSoftmax(Primitive):
    """y = x - ln sum e^x;  dx = dy - e^y sum dy."""

    reads = ("out",)

    def infer(self, *shapes: Shape) -> Shape:
        """Unchanged."""
        return shapes[0]

    def scratch(self, *shapes: Shape) -> Scratch:
        """powers: e^(x - max x); total: a sum along the last axis."""
        return {"powers": (shapes[0], None), "total": ((*shapes[0][:-1], 1), None)}

    def forward(self, out: Array, x: Array, *, powers: Array, total: Array) -> None:
        _shift(x, total, out)
        np.add.reduce(np.exp(out, out=powers), axis=-1, keepdims=True, out=total)
        out -= np.log(total, out=total)

    def backward(
        self, grads: Slots, dy: Array, out: Array, x: Array, *, powers: Array, total: Array
    ) -> None:
        dx = grads[0]
        np.exp(out, out=dx)
        dx *= np.add.reduce(dy, axis=-1, keepdims=True, out=total)
        np.subtract(dy, dx, out=dx)

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, x: Array, *, powers: Array, total: Array
    ) -> None:
        """J dx = dx - sum e^y dx."""
        dx = dinputs[0]
        np.multiply(np.exp(out, out=powers), dx, out=dout)
        np.add.reduce(dout, axis=-1, keepdims=True, out=total)
        np.subtract(dx, total, out=dout)


class LogSumExp(Primitive):
    """y = ln sum_k e^x[..., k];  dx = dy e^(x - y)."""

    reads = (0, "out")

    def infer(self, *shapes: Shape) -> Shape:
        """Without the last axis."""
        if shapes[0][-1] == 0:
            raise ValueError(f"logsumexp: no element along the last axis of {shapes[0]}")
        return shapes[0][:-1]

    def scratch(self, *shapes: Shape) -> Scratch:
        """powers: e^(x - max x); peak: max x."""
        return {"powers": (shapes[0], None), "peak": ((*shapes[0][:-1], 1), None)}

    def forward(self, out: Array, x: Array, *, powers: Array, peak: Array) -> None:
        _shift(x, peak, powers)
        np.add.reduce(np.exp(powers, out=powers), axis=-1, out=out)
        np.log(out, out=out)
        out += peak[..., 0]

    def backward(
        self, grads: Slots, dy: Array, out: Array, x: Array, *, powers: Array, peak: Array
    ) -> None:
        dx = grads[0]
        np.subtract(x, out[..., None], out=dx)
        np.exp(dx, out=dx)
        dx *= dy[..., None]

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, x: Array, *, powers: Array, peak: Array
    ) -> None:
        """J dx = sum e^(x - y) dx."""
        np.exp(np.subtract(x, out[..., None], out=powers), out=powers)
        powers *= dinputs[0]
        np.add.reduce(powers, axis=-1, out=dout)
