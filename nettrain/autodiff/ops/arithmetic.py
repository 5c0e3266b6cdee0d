"""Plus, minus, times, divided by, to the power of."""

from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.primitive import Array, ElementWise, Slots


class Add(ElementWise):
    """y = a + b;  da = dy, db = dy: addition hands the gradient on."""

    in_place = (0, 1)
    gradient_in_place = True

    def forward(self, out: Array, a: Array, b: Array) -> None:
        np.add(a, b, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, a: Array, b: Array) -> None:
        for dx in grads:
            if dx is not None:
                dx[...] = dy


class Subtract(ElementWise):
    """y = a - b;  da = dy, db = -dy."""

    in_place = (0, 1)
    gradient_in_place = True

    def forward(self, out: Array, a: Array, b: Array) -> None:
        np.subtract(a, b, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, a: Array, b: Array) -> None:
        da, db = grads
        if da is not None:
            da[...] = dy
        if db is not None:
            np.negative(dy, out=db)


class Negative(ElementWise):
    """y = -x;  dx = -dy."""

    in_place = (0,)
    gradient_in_place = True

    def forward(self, out: Array, x: Array) -> None:
        np.negative(x, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        np.negative(dy, out=grads[0])


class Multiply(ElementWise):
    """y = a b;  da = dy b, db = dy a: multiplication switches the inputs."""

    reads = (0, 1)
    in_place = (0, 1)

    def forward(self, out: Array, a: Array, b: Array) -> None:
        np.multiply(a, b, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, a: Array, b: Array) -> None:
        da, db = grads
        if da is not None:
            np.multiply(dy, b, out=da)
        if db is not None:
            np.multiply(dy, a, out=db)


class Divide(ElementWise):
    """y = a / b;  da = dy / b, db = -dy y / b."""

    reads = (1, "out")

    def forward(self, out: Array, a: Array, b: Array) -> None:
        np.divide(a, b, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, a: Array, b: Array) -> None:
        da, db = grads
        if da is not None:
            np.divide(dy, b, out=da)
        if db is not None:
            np.multiply(dy, out, out=db)
            db /= b
            np.negative(db, out=db)


@dataclass(frozen=True)
class Power(ElementWise):
    """y = x^c for a constant c;  dx = dy c x^(c-1)."""

    exponent: float
    reads = (0,)

    def forward(self, out: Array, x: Array) -> None:
        np.power(x, self.exponent, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        dx = grads[0]
        if self.exponent == 0:
            dx[...] = 0  # 0 * 0^-1 would be NaN
            return
        np.power(x, self.exponent - 1, out=dx)
        dx *= self.exponent
        dx *= dy


class PowerOf(ElementWise):
    """y = a^b for a > 0;  da = dy b a^(b-1), db = dy y ln a."""

    reads = (0, 1, "out")

    def forward(self, out: Array, a: Array, b: Array) -> None:
        np.power(a, b, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, a: Array, b: Array) -> None:
        da, db = grads
        if da is not None:
            np.subtract(b, 1, out=da)
            np.power(a, da, out=da)
            da *= b
            da *= dy
        if db is not None:
            np.log(a, out=db)
            db *= out
            db *= dy
