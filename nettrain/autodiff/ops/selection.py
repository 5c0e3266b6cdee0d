"""What chooses by value: larger, smaller, positive, inside. At a kink the derivative is that of the first choice, and relu'(0) = 0."""
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nettrain.autodiff.primitive import Array, ElementWise, Scratch, Shape, Slots


class Relu(ElementWise):
    """y = max(x, 0);  dx = dy where y > 0, else 0."""

    reads = ("out",)

    def forward(self, out: Array, x: Array) -> None:
        np.maximum(x, 0, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        dx = grads[0]
        np.sign(out, out=dx)  # y is never negative, so its sign is the derivative
        dx *= dy


@dataclass(frozen=True)
class LeakyRelu(ElementWise):
    """y = x where x > 0, else slope x;  dx = dy where x > 0, else slope dy."""

    slope: float
    reads = (0,)

    def scratch(self, *shapes: Shape) -> Scratch:
        """positive: where x > 0."""
        return {"positive": (shapes[0], np.bool_)}

    def forward(self, out: Array, x: Array, *, positive: Array) -> None:
        np.multiply(x, self.slope, out=out)
        np.copyto(out, x, where=np.greater(x, 0, out=positive))

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array, *, positive: Array) -> None:
        dx = grads[0]
        np.multiply(dy, self.slope, out=dx)
        np.copyto(dx, dy, where=np.greater(x, 0, out=positive))


class Prelu(ElementWise):
    """y = x where x > 0, else a x;  dx = dy where x > 0, else a dy;  da = 0 where x > 0, else x dy."""

    reads = (0, 1)

    def scratch(self, *shapes: Shape) -> Scratch:
        """positive: where x > 0."""
        return {"positive": (shapes[0], np.bool_)}

    def forward(self, out: Array, x: Array, a: Array, *, positive: Array) -> None:
        np.multiply(x, a, out=out)
        np.copyto(out, x, where=np.greater(x, 0, out=positive))

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array, a: Array, *, positive: Array) -> None:
        dx, da = grads
        np.greater(x, 0, out=positive)
        if dx is not None:
            np.multiply(dy, a, out=dx)
            np.copyto(dx, dy, where=positive)
        if da is not None:
            np.multiply(dy, x, out=da)
            np.copyto(da, 0, where=positive)


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
    """One of two inputs, by comparison: the gradient goes where the value came from, at a tie to the first."""

    reads = (0, 1)
    prefers_first: ClassVar[np.ufunc]

    def scratch(self, *shapes: Shape) -> Scratch:
        """first: where the first input was chosen."""
        return {"first": (shapes[0], np.bool_)}

    def backward(self, grads: Slots, dy: Array, out: Array, a: Array, b: Array, *, first: Array) -> None:
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

    def backward(self, grads: Slots, dy: Array, out: Array, condition: Array, a: Array, b: Array) -> None:
        _, da, db = grads
        if da is not None:
            np.multiply(dy, condition, out=da)
        if db is not None:
            db[...] = dy
            np.copyto(db, 0, where=condition)
