"""Operations that select by value: relu, maximum, clip ...; at a tie the first input is selected.

At a kink the derivative is that of the selected branch; relu'(0) = 0.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nettrain.autodiff.compiled import compiles, flat_calls
from nettrain.autodiff.primitive import Array, Call, ElementWise, Scratch, Shape, Slots
from nettrain.jit import jit


class Relu(ElementWise):
    """y = max(x, 0);  dx = dy where y > 0, else 0."""

    reads = ("out",)
    in_place = (0,)

    def forward(self, out: Array, x: Array) -> None:
        # np.maximum with a number has no vector instructions: it is 3.5 times as slow
        x.clip(0, np.inf, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        dx = grads[0]
        np.sign(out, out=dx)  # y is never negative, so its sign is the derivative
        dx *= dy


@jit
def _relu_loop(y: Array, x: Array) -> None:
    zero = x.dtype.type(0)
    for i in range(x.size):
        y[i] = zero if x[i] < zero else x[i]  # NaN stays


@jit
def _relu_gradient_loop(dx: Array, dy: Array, y: Array) -> None:
    zero, one = y.dtype.type(0), y.dtype.type(1)
    for i in range(y.size):
        dx[i] = (one if y[i] > zero else y[i]) * dy[i]  # 0 or NaN


@compiles(Relu)
class CompiledRelu(Relu):
    """One loop forward and one backward.

    NumPy's maximum of an array and a number has no vector instructions: it is four times as slow.
    """

    def forward_calls(self, out: Array, x: Array) -> list[Call]:
        calls = flat_calls(_relu_loop, (out, x))
        return calls or super().forward_calls(out, x)

    def backward_calls(self, grads: Slots, dy: Array, out: Array, x: Array) -> list[Call]:
        calls = flat_calls(_relu_gradient_loop, (grads[0], dy, out))
        return calls or super().backward_calls(grads, dy, out, x)


def _slopes(x: Array, slope: Array, mask: Array, out: Array) -> None:
    """out = 1 where x > 0, else the slope.

    By products with the mask: a copy by mask takes 10 times as long.
    """
    np.multiply(np.less_equal(x, 0, out=mask), slope, out=out)
    out += np.logical_not(mask, out=mask)


@dataclass(frozen=True)
class LeakyRelu(ElementWise):
    """y = x where x > 0, else slope x;  dx = dy where x > 0, else slope dy."""

    slope: float
    reads = (0,)

    def scratch(self, *shapes: Shape) -> Scratch:
        """positive: where x > 0."""
        return {"positive": (shapes[0], np.bool_)}

    def forward(self, out: Array, x: Array, *, positive: Array) -> None:
        if self.slope == 0:
            x.clip(0, np.inf, out=out)  # 0 times infinity would be NaN
            return
        np.multiply(x, self.slope, out=out)
        larger = np.maximum if self.slope <= 1 else np.minimum
        larger(x, out, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array, *, positive: Array) -> None:
        dx = grads[0]
        # beside a mask a plain number would count as float64
        _slopes(x, dx.dtype.type(self.slope), positive, dx)
        dx *= dy


@jit
def _leaky_relu_loop(y: Array, x: Array, slope: float) -> None:
    zero, falling = x.dtype.type(0), x.dtype.type(slope)
    for i in range(x.size):
        low = x[i] * falling if falling != zero else zero  # not 0 times infinity
        y[i] = low if x[i] < zero else x[i]  # NaN stays


@jit
def _leaky_relu_gradient_loop(dx: Array, dy: Array, x: Array, slope: float) -> None:
    zero, one, falling = x.dtype.type(0), x.dtype.type(1), x.dtype.type(slope)
    for i in range(x.size):
        dx[i] = (falling if x[i] <= zero else one) * dy[i]


@compiles(LeakyRelu)
class CompiledLeakyRelu(LeakyRelu):
    """One loop forward and one backward."""

    def forward_calls(self, out: Array, x: Array, **scratch: Array) -> list[Call]:
        calls = flat_calls(_leaky_relu_loop, (out, x), self.slope)
        return calls or super().forward_calls(out, x, **scratch)

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, **scratch: Array
    ) -> list[Call]:
        calls = flat_calls(_leaky_relu_gradient_loop, (grads[0], dy, x), self.slope)
        return calls or super().backward_calls(grads, dy, out, x, **scratch)


class Prelu(ElementWise):
    """y = x where x > 0, else a x;  dx = dy or a dy;  da = 0 or x dy."""

    reads = (0, 1)

    def scratch(self, *shapes: Shape) -> Scratch:
        """positive: where x > 0; falling: a min(x, 0)."""
        return {"positive": (shapes[0], np.bool_), "falling": (shapes[0], None)}

    def forward(self, out: Array, x: Array, a: Array, *, positive: Array, falling: Array) -> None:
        np.minimum(x, 0, out=falling)
        falling *= a
        np.maximum(x, 0, out=out)
        out += falling

    def backward(
        self,
        grads: Slots,
        dy: Array,
        out: Array,
        x: Array,
        a: Array,
        *,
        positive: Array,
        falling: Array,
    ) -> None:
        dx, da = grads
        if dx is not None:
            _slopes(x, a, positive, dx)
            dx *= dy
        if da is not None:
            np.minimum(x, 0, out=da)
            da *= dy


class Absolute(ElementWise):
    """y = |x|;  dx = dy sign(x), and 0 at 0."""

    reads = (0,)

    def forward(self, out: Array, x: Array) -> None:
        np.abs(x, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        dx = grads[0]
        np.sign(x, out=dx)
        dx *= dy


class Step(ElementWise):
    """y = 1 where x > 0, else 0;  dx = 0: the threshold unit. NaN stays NaN."""

    def forward(self, out: Array, x: Array) -> None:
        np.heaviside(x, 0, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        grads[0][...] = 0


@dataclass(frozen=True)
class Clip(ElementWise):
    """y = min(max(x, low), high);  dx = dy where low <= x <= high, else 0."""

    low: float
    high: float
    reads = (0, "out")

    def scratch(self, *shapes: Shape) -> Scratch:
        """inside: where x was kept."""
        return {"inside": (shapes[0], np.bool_)}

    def forward(self, out: Array, x: Array, *, inside: Array) -> None:
        np.clip(x, self.low, self.high, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array, *, inside: Array) -> None:
        np.multiply(dy, np.equal(x, out, out=inside), out=grads[0])


class _OneOfTwo(ElementWise):
    """One of two inputs, by comparison: its gradient is dy, that of the other 0."""

    reads = (0, 1)
    prefers_first: ClassVar[np.ufunc]

    def scratch(self, *shapes: Shape) -> Scratch:
        """first: where the first input was chosen."""
        return {"first": (shapes[0], np.bool_)}

    def backward(
        self, grads: Slots, dy: Array, out: Array, a: Array, b: Array, *, first: Array
    ) -> None:
        da, db = grads
        self.prefers_first(a, b, out=first)
        if da is not None:
            np.multiply(dy, first, out=da)
        if db is not None:
            np.multiply(dy, np.logical_not(first, out=first), out=db)


class Maximum(_OneOfTwo):
    """y = max(a, b);  dy goes to the larger, at a tie to a (PyTorch halves it)."""

    prefers_first = np.greater_equal

    def forward(self, out: Array, a: Array, b: Array, *, first: Array) -> None:
        np.maximum(a, b, out=out)


class Minimum(_OneOfTwo):
    """y = min(a, b);  dy goes to the smaller, at a tie to a (PyTorch halves it)."""

    prefers_first = np.less_equal

    def forward(self, out: Array, a: Array, b: Array, *, first: Array) -> None:
        np.minimum(a, b, out=out)


class Where(ElementWise):
    """y = a where the condition (truth values) holds, else b;  dy goes the same way."""

    reads = (0,)

    def forward(self, out: Array, condition: Array, a: Array, b: Array) -> None:
        out[...] = b
        np.copyto(out, a, where=condition)

    def backward(
        self, grads: Slots, dy: Array, out: Array, condition: Array, a: Array, b: Array
    ) -> None:
        _, da, db = grads
        if da is not None:
            np.multiply(dy, condition, out=da)
        if db is not None:
            db[...] = dy
            np.copyto(db, 0, where=condition)
