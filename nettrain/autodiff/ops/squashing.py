"""The smooth functions that squash: sigmoid, tanh, softplus."""
import numpy as np

from nettrain.autodiff.primitive import Array, ElementWise, Slots


def logistic(x: Array, out: Array) -> None:
    """out = 1 / (1 + e^-x), of full relative accuracy on both sides; out may be x."""
    np.negative(x, out=out)
    np.minimum(out, np.log(np.finfo(out.dtype).max) - 1, out=out)  # exp overflows float32 above 88, float64 above 709
    np.exp(out, out=out)
    out += 1
    np.reciprocal(out, out=out)


class Sigmoid(ElementWise):
    """y = 1 / (1 + e^-x);  dx = dy y (1 - y)."""

    reads = ("out",)

    def forward(self, out: Array, x: Array) -> None:
        logistic(x, out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        dx = grads[0]
        np.subtract(1, out, out=dx)
        dx *= out
        dx *= dy


class Tanh(ElementWise):
    """y = tanh x = 2 sigmoid(2x) - 1;  dx = dy (1 - y^2)."""

    reads = ("out",)

    def forward(self, out: Array, x: Array) -> None:
        np.tanh(x, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        dx = grads[0]
        np.multiply(out, out, out=dx)
        np.subtract(1, dx, out=dx)
        dx *= dy


class Softplus(ElementWise):
    """y = ln(1 + e^x);  dx = dy sigmoid(x)."""

    reads = (0,)

    def forward(self, out: Array, x: Array) -> None:
        np.logaddexp(x, 0, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        dx = grads[0]
        logistic(x, dx)
        dx *= dy
