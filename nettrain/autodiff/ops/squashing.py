"""The smooth functions that squash: sigmoid, tanh, softplus, softsign, elu."""
from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.primitive import Array, ElementWise, Scratch, Shape, Slots


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


class Softsign(ElementWise):
    """y = x / (1 + |x|);  dx = dy / (1 + |x|)^2."""

    reads = (0,)

    def scratch(self, *shapes: Shape) -> Scratch:
        """size: 1 + |x|."""
        return {"size": (shapes[0], None)}

    def forward(self, out: Array, x: Array, *, size: Array) -> None:
        np.abs(x, out=size)
        size += 1
        np.divide(x, size, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array, *, size: Array) -> None:
        dx = grads[0]
        np.abs(x, out=size)
        size += 1
        np.divide(dy, size, out=dx)
        dx /= size


@dataclass(frozen=True)
class Elu(ElementWise):
    """y = scale x where x > 0, else scale alpha (e^x - 1);  dx = scale dy where x > 0, else scale alpha e^x dy."""

    alpha: float
    scale: float
    reads = (0,)

    def scratch(self, *shapes: Shape) -> Scratch:
        """positive: where x > 0."""
        return {"positive": (shapes[0], np.bool_)}

    def forward(self, out: Array, x: Array, *, positive: Array) -> None:
        np.minimum(x, 0, out=out)  # exp would overflow where its result is not wanted
        np.expm1(out, out=out)
        out *= self.scale * self.alpha
        np.multiply(x, self.scale, out=out, where=np.greater(x, 0, out=positive))

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array, *, positive: Array) -> None:
        dx = grads[0]
        np.minimum(x, 0, out=dx)
        np.exp(dx, out=dx)
        dx *= self.scale * self.alpha
        np.copyto(dx, self.scale, where=np.greater(x, 0, out=positive))
        dx *= dy
