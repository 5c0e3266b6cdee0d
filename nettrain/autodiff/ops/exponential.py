"""Exponential, logarithm, square root."""

import numpy as np

from nettrain.autodiff.primitive import Array, ElementWise, Slots


class Exp(ElementWise):
    """y = e^x;  dx = dy y."""

    reads = ("out",)

    def forward(self, out: Array, x: Array) -> None:
        np.exp(x, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        np.multiply(dy, out, out=grads[0])


class Log(ElementWise):
    """y = ln x;  dx = dy / x."""

    reads = (0,)

    def forward(self, out: Array, x: Array) -> None:
        np.log(x, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        np.divide(dy, x, out=grads[0])


class Sqrt(ElementWise):
    """y = sqrt x;  dx = dy / (2 y)."""

    reads = ("out",)

    def forward(self, out: Array, x: Array) -> None:
        np.sqrt(x, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        dx = grads[0]
        np.divide(dy, out, out=dx)
        dx *= 0.5
