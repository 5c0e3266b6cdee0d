"""Smooth activations: sigmoid, tanh, silu, softplus, softsign, elu, mish."""

from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.compiled import compiles, flat_calls
from nettrain.autodiff.ops.exponential import exp, expm1
from nettrain.autodiff.primitive import Array, Call, ElementWise, Scratch, Shape, Slots
from nettrain.jit import jit


def logistic(x: Array, out: Array) -> None:
    """out = 1 / (1 + e^-x), of full relative accuracy on both sides; out may be x."""
    np.negative(x, out=out)
    np.minimum(
        out, np.log(np.finfo(out.dtype).max) - 1, out=out
    )  # exp overflows float32 above 88, float64 above 709
    np.exp(out, out=out)
    out += 1
    np.reciprocal(out, out=out)


class Sigmoid(ElementWise):
    """y = 1 / (1 + e^-x);  dx = dy y (1 - y)."""

    reads = ("out",)
    in_place = (0,)

    def forward(self, out: Array, x: Array) -> None:
        logistic(x, out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        dx = grads[0]
        np.subtract(1, out, out=dx)
        dx *= out
        dx *= dy


@jit
def _sigmoid_loop(y: Array, x: Array) -> None:
    one = x.dtype.type(1)
    most = np.log(np.finfo(x.dtype).max) - one  # as in NumPy's form: never quite 0
    for i in range(x.size):
        y[i] = one / (one + exp(most if -x[i] > most else -x[i]))


@jit
def _sigmoid_gradient_loop(dx: Array, dy: Array, y: Array) -> None:
    one = y.dtype.type(1)
    for i in range(y.size):
        dx[i] = (one - y[i]) * y[i] * dy[i]


@compiles(Sigmoid)
class CompiledSigmoid(Sigmoid):
    """One loop forward and one backward."""

    def forward_calls(self, out: Array, x: Array) -> list[Call]:
        calls = flat_calls(_sigmoid_loop, (out, x))
        return calls or super().forward_calls(out, x)

    def backward_calls(self, grads: Slots, dy: Array, out: Array, x: Array) -> list[Call]:
        calls = flat_calls(_sigmoid_gradient_loop, (grads[0], dy, out))
        return calls or super().backward_calls(grads, dy, out, x)


class Tanh(ElementWise):
    """y = tanh x = 2 sigmoid(2x) - 1;  dx = dy (1 - y^2)."""

    reads = ("out",)
    in_place = (0,)

    def forward(self, out: Array, x: Array) -> None:
        np.tanh(x, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        dx = grads[0]
        np.multiply(out, out, out=dx)
        np.subtract(1, dx, out=dx)
        dx *= dy


@jit
def _tanh_gradient_loop(dx: Array, dy: Array, y: Array) -> None:
    one = y.dtype.type(1)
    for i in range(y.size):
        dx[i] = (one - y[i] * y[i]) * dy[i]


@compiles(Tanh)
class CompiledTanh(Tanh):
    """The derivative and its product in one loop; NumPy's tanh is as fast as a loop."""

    def backward_calls(self, grads: Slots, dy: Array, out: Array, x: Array) -> list[Call]:
        calls = flat_calls(_tanh_gradient_loop, (grads[0], dy, out))
        return calls or super().backward_calls(grads, dy, out, x)


class Silu(ElementWise):
    """y = x s, s = 1 / (1 + e^-x);  dx = dy (s + y (1 - s))."""

    reads = ("out", "share")

    def scratch(self, *shapes: Shape) -> Scratch:
        """share: s."""
        return {"share": (shapes[0], None)}

    def forward(self, out: Array, x: Array, *, share: Array) -> None:
        logistic(x, share)
        np.maximum(x, -1000, out=out)  # s is never quite 0: 1e38 times s would not be small
        out *= share

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array, *, share: Array) -> None:
        dx = grads[0]
        np.subtract(1, share, out=dx)
        dx *= out
        dx += share
        dx *= dy


@jit
def _silu_loop(y: Array, share: Array, x: Array) -> None:
    one, least = x.dtype.type(1), x.dtype.type(-1000)
    most = np.log(np.finfo(x.dtype).max) - one  # as in NumPy's form: never quite 0
    for i in range(x.size):
        s = one / (one + exp(most if -x[i] > most else -x[i]))
        share[i] = s
        y[i] = (least if x[i] < least else x[i]) * s  # NaN stays


@jit
def _silu_gradient_loop(dx: Array, dy: Array, y: Array, share: Array) -> None:
    one = y.dtype.type(1)
    for i in range(y.size):
        dx[i] = ((one - share[i]) * y[i] + share[i]) * dy[i]


@compiles(Silu)
class CompiledSilu(Silu):
    """One loop forward and one backward."""

    def forward_calls(self, out: Array, x: Array, *, share: Array) -> list[Call]:
        calls = flat_calls(_silu_loop, (out, share, x))
        return calls or super().forward_calls(out, x, share=share)

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, *, share: Array
    ) -> list[Call]:
        calls = flat_calls(_silu_gradient_loop, (grads[0], dy, out, share))
        return calls or super().backward_calls(grads, dy, out, x, share=share)


class Softplus(ElementWise):
    """y = ln(1 + e^x);  dx = dy sigmoid(x)."""

    reads = (0,)

    def scratch(self, *shapes: Shape) -> Scratch:
        """rising: max(x, 0)."""
        return {"rising": (shapes[0], None)}

    def forward(self, out: Array, x: Array, *, rising: Array) -> None:
        # max(x, 0) + ln(1 + e^-|x|): no overflow, and 10 times as fast as logaddexp
        np.abs(x, out=out)
        np.negative(out, out=out)
        np.exp(out, out=out)
        np.log1p(out, out=out)
        out += np.maximum(x, 0, out=rising)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array, *, rising: Array) -> None:
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
    """y = scale x where x > 0, else scale alpha (e^x - 1);  dx = scale dy or scale alpha e^x dy."""

    alpha: float
    scale: float
    reads = (0,)

    def scratch(self, *shapes: Shape) -> Scratch:
        """rising: scale max(x, 0), or the excess of the derivative where x > 0; positive: x > 0."""
        return {"rising": (shapes[0], None), "positive": (shapes[0], np.bool_)}

    def forward(self, out: Array, x: Array, *, rising: Array, positive: Array) -> None:
        np.minimum(x, 0, out=out)  # exp must not overflow where x > 0
        np.expm1(out, out=out)
        out *= self.scale * self.alpha
        np.maximum(x, 0, out=rising)
        rising *= self.scale
        out += rising

    def backward(
        self, grads: Slots, dy: Array, out: Array, x: Array, *, rising: Array, positive: Array
    ) -> None:
        dx = grads[0]
        np.minimum(x, 0, out=dx)
        np.exp(dx, out=dx)
        dx *= self.scale * self.alpha
        if self.alpha != 1:
            more = dx.dtype.type(
                self.scale - self.scale * self.alpha
            )  # beside truth values a plain number would count as float64
            dx += np.multiply(np.greater(x, 0, out=positive), more, out=rising)
        dx *= dy


@jit
def _elu_loop(y: Array, x: Array, low: float, high: float) -> None:
    zero, falling, rising = x.dtype.type(0), x.dtype.type(low), x.dtype.type(high)
    for i in range(x.size):
        positive = x[i] > zero
        bent = expm1(zero if positive else x[i]) * falling  # NaN stays
        y[i] = bent + (x[i] if positive else zero) * rising


@jit
def _elu_gradient_loop(dx: Array, dy: Array, x: Array, low: float, high: float) -> None:
    zero, falling, rising = x.dtype.type(0), x.dtype.type(low), x.dtype.type(high)
    for i in range(x.size):
        dx[i] = (rising if x[i] > zero else exp(x[i]) * falling) * dy[i]


@compiles(Elu)
class CompiledElu(Elu):
    """One loop forward and one backward."""

    def forward_calls(self, out: Array, x: Array, **scratch: Array) -> list[Call]:
        calls = flat_calls(_elu_loop, (out, x), self.scale * self.alpha, self.scale)
        return calls or super().forward_calls(out, x, **scratch)

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, **scratch: Array
    ) -> list[Call]:
        numbers = self.scale * self.alpha, self.scale
        calls = flat_calls(_elu_gradient_loop, (grads[0], dy, x), *numbers)
        return calls or super().backward_calls(grads, dy, out, x, **scratch)


class Mish(ElementWise):
    """y = x t, t = tanh(ln(1 + e^x)) = p / (p + 2), p = e^x (e^x + 2).

    dx = dy (t + 4 x e^x (1 + e^x) / (p + 2)^2).
    """

    reads = (0, "power", "share")

    def scratch(self, *shapes: Shape) -> Scratch:
        """power: e^x; share: t; work."""
        return {"power": (shapes[0], None), "share": (shapes[0], None), "work": (shapes[0], None)}

    def forward(self, out: Array, x: Array, *, power: Array, share: Array, work: Array) -> None:
        np.minimum(x, 22, out=power)  # t = 1 from there on, and p^2 stays finite
        np.exp(power, out=power)
        np.add(power, 2, out=share)
        share *= power
        np.add(share, 2, out=work)
        share /= work
        np.multiply(x, share, out=out)

    def backward(
        self,
        grads: Slots,
        dy: Array,
        out: Array,
        x: Array,
        *,
        power: Array,
        share: Array,
        work: Array,
    ) -> None:
        dx = grads[0]
        np.clip(x, -1000, 22, out=dx)  # beyond both the term is 0, however large x is
        dx *= 4
        dx *= power
        np.add(power, 1, out=work)
        dx *= work
        work *= work  # p + 2 = (1 + e^x)^2 + 1
        work += 1
        work *= work
        dx /= work
        dx += share
        dx *= dy


@jit
def _mish_loop(y: Array, power: Array, share: Array, x: Array) -> None:
    two, most = x.dtype.type(2), x.dtype.type(22)
    for i in range(x.size):
        e = exp(most if x[i] > most else x[i])
        p = (e + two) * e
        power[i], share[i] = e, p / (p + two)
        y[i] = x[i] * share[i]


@jit
def _mish_gradient_loop(dx: Array, dy: Array, x: Array, power: Array, share: Array) -> None:
    one, four = x.dtype.type(1), x.dtype.type(4)
    least, most = x.dtype.type(-1000), x.dtype.type(22)
    for i in range(x.size):
        a = least if x[i] < least else most if x[i] > most else x[i]
        e = power[i] + one
        q = e * e + one
        dx[i] = (a * four * power[i] * e / (q * q) + share[i]) * dy[i]


@compiles(Mish)
class CompiledMish(Mish):
    """One loop forward and one backward."""

    def forward_calls(self, out: Array, x: Array, **scratch: Array) -> list[Call]:
        calls = flat_calls(_mish_loop, (out, scratch["power"], scratch["share"], x))
        return calls or super().forward_calls(out, x, **scratch)

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, **scratch: Array
    ) -> list[Call]:
        arrays = (grads[0], dy, x, scratch["power"], scratch["share"])
        calls = flat_calls(_mish_gradient_loop, arrays)
        return calls or super().backward_calls(grads, dy, out, x, **scratch)
