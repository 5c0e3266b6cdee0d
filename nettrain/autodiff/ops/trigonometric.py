"""Cosine and sine."""

import numpy as np

from nettrain.autodiff.primitive import Array, ElementWise, Slots


class Cos(ElementWise):
    """y = cos x;  dx = -dy sin x."""

    reads = (0,)

    def forward(self, out: Array, x: Array) -> None:
        np.cos(x, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        dx = grads[0]
        np.sin(x, out=dx)
        np.multiply(dx, dy, out=dx)
        np.negative(dx, out=dx)


class Sin(ElementWise):
    """y = sin x;  dx = dy cos x."""

    reads = (0,)

    def forward(self, out: Array, x: Array) -> None:
        np.sin(x, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        dx = grads[0]
        np.cos(x, out=dx)
        np.multiply(dx, dy, out=dx)
