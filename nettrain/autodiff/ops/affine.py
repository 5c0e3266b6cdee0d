"""A matrix product with its bias and activation: what fusion replaces a dense layer by."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nettrain.autodiff.compiled import call, compiles, wide
from nettrain.autodiff.ops.exponential import exp
from nettrain.autodiff.ops.matmul import columns, make_tiles, product_call
from nettrain.autodiff.ops.selection import Relu
from nettrain.autodiff.ops.smooth import Sigmoid, Tanh
from nettrain.autodiff.primitive import Array, Call, ElementWise, Primitive, Scratch, Shape, Slots
from nettrain.jit import jit


@dataclass(frozen=True)
class Affine(Primitive):
    """y = act(x w + b);  da = dy act'(y), dx = da w^T, dw = x^T da, db = sum_n da.

    Bitwise identical to its operations one after the other.
    x (n, i), w (i, o), b (o,) -> y (n, o).

    Attributes:
        activation: Element-wise; its derivative follows from its output (relu, sigmoid, tanh).
    """

    activation: ElementWise | None = field(default=None)
    reads = (0, 1, "out")

    def infer(self, *shapes: Shape) -> Shape:
        """(n, o)."""
        x, w, b = shapes
        if len(x) != 2 or len(w) != 2 or x[1] != w[0] or b != w[1:]:
            raise ValueError(f"affine takes x (n, i), w (i, o) and b (o,), got {x}, {w} and {b}")
        return (x[0], w[1])

    def scratch(self, *shapes: Shape) -> Scratch:
        """da: the gradient before the activation."""
        return {} if self.activation is None else {"da": (self.infer(*shapes), None)}

    def forward(self, out: Array, x: Array, w: Array, b: Array, **scratch: Array) -> None:
        make_tiles(self.forward_tiles(out, x, w, b) or [[self.forward_calls(out, x, w, b)]])

    def backward(
        self, grads: Slots, dy: Array, out: Array, x: Array, w: Array, b: Array, **scratch: Array
    ) -> None:
        tiles = self.backward_tiles(grads, dy, out, x, w, b, **scratch)
        make_tiles(
            [[self.backward_calls(grads, dy, out, x, w, b, **scratch)]] if tiles is None else tiles
        )

    def forward_calls(
        self, out: Array, x: Array, w: Array, b: Array, **scratch: Array
    ) -> list[Call]:
        """Product, bias, activation."""
        calls: list[Call] = [product_call(x, w, out), (np.add, (out, b, out), {})]
        return calls if self.activation is None else calls + self.activation.forward_calls(out, out)

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, w: Array, b: Array, **scratch: Array
    ) -> list[Call]:
        """The activation's derivative, then the gradients: db, dx, dw."""
        da, (dx, dw, db) = scratch.get("da", dy), grads
        calls: list[Call] = (
            [] if self.activation is None else self.activation.backward_calls([da], dy, out, out)
        )
        if db is not None:
            calls.append((np.add.reduce, (da, 0, None, db), {}))
        if dx is not None:
            calls.append(product_call(da, w.T, dx))
        if dw is not None:
            calls.append(product_call(x.T, da, dw))
        return calls

    def forward_tiles(
        self, out: Array, x: Array, w: Array, b: Array, **scratch: Array
    ) -> list[list[list[Call]]] | None:
        """One queue per tile of the columns of w, and so of y."""
        tiles = columns(*w.shape)
        if tiles is None:
            return None
        return [[self.forward_calls(out[:, t], x, w[:, t], b[t]) for t in tiles]]

    def backward_tiles(
        self, grads: Slots, dy: Array, out: Array, x: Array, w: Array, b: Array, **scratch: Array
    ) -> list[list[list[Call]]] | None:
        """First da, dw and db, one queue per tile of the columns of w.

        Then dx, which needs all of da, one queue per tile of its own columns.
        """
        tiles = columns(*w.shape)
        if tiles is None:
            return None
        da, (dx, dw, db) = scratch.get("da", dy), grads
        phases = []
        if not (dw is None and db is None and self.activation is None):
            phases.append([
                self.backward_calls(
                    [None, None if dw is None else dw[:, t], None if db is None else db[t]],
                    dy[:, t], out[:, t], x, w[:, t], b[t], **({} if da is dy else {"da": da[:, t]}),
                )
                for t in tiles
            ])  # fmt: skip
        if dx is not None:
            own = columns(*w.T.shape) or [slice(w.shape[0])]
            phases.append([[product_call(da, w[t].T, dx[:, t])] for t in own])
        return phases

    def tangent(
        self,
        dout: Array,
        dinputs: Slots,
        out: Array,
        x: Array,
        w: Array,
        b: Array,
        **scratch: Array,
    ) -> None:
        """J (dx, dw, db) = act'(y) (dx w + x dw + db)."""
        dx, dw, db = dinputs
        total = np.zeros_like(dout)
        if dx is not None:
            total += dx @ w
        if dw is not None:
            total += x @ dw
        if db is not None:
            total += db
        if self.activation is None:
            dout[...] = total
        else:
            self.activation.backward([dout], total, out, out)


@jit
def _shift_loop(y: Array, b: Array) -> None:
    for i in range(y.shape[0]):
        for j in range(b.size):
            y[i, j] += b[j]


@jit
def _shift_relu_loop(y: Array, b: Array) -> None:
    zero = y.dtype.type(0)
    for i in range(y.shape[0]):
        for j in range(b.size):
            a = y[i, j] + b[j]
            y[i, j] = zero if a <= zero else a  # NaN stays


@jit
def _shift_sigmoid_loop(y: Array, b: Array) -> None:
    one = y.dtype.type(1)
    most = np.log(np.finfo(y.dtype).max) - one  # as in NumPy's form: never quite 0
    for i in range(y.shape[0]):
        for j in range(b.size):
            a = -(y[i, j] + b[j])
            y[i, j] = one / (one + exp(most if a > most else a))


@jit
def _sum_loop(da: Array, db: Array) -> None:
    db[:] = 0
    for i in range(da.shape[0]):
        for j in range(db.size):
            db[j] += da[i, j]


@jit
def _relu_gradient_loop(da: Array, db: Array, dy: Array, y: Array) -> None:
    zero, one = y.dtype.type(0), y.dtype.type(1)
    db[:] = 0
    for i in range(y.shape[0]):
        for j in range(db.size):
            a = dy[i, j] * (one if y[i, j] > zero else y[i, j])  # 0 or NaN
            da[i, j] = a
            db[j] += a


@jit
def _sigmoid_gradient_loop(da: Array, db: Array, dy: Array, y: Array) -> None:
    one = y.dtype.type(1)
    db[:] = 0
    for i in range(y.shape[0]):
        for j in range(db.size):
            a = (one - y[i, j]) * y[i, j] * dy[i, j]
            da[i, j] = a
            db[j] += a


@jit
def _tanh_gradient_loop(da: Array, db: Array, dy: Array, y: Array) -> None:
    one = y.dtype.type(1)
    db[:] = 0
    for i in range(y.shape[0]):
        for j in range(db.size):
            a = (one - y[i, j] * y[i, j]) * dy[i, j]
            da[i, j] = a
            db[j] += a


# NumPy's tanh is as fast as a loop
_FORWARD: dict[type, Any] = {Relu: _shift_relu_loop, Sigmoid: _shift_sigmoid_loop}
_BACKWARD: dict[type, Any] = {
    Relu: _relu_gradient_loop,
    Sigmoid: _sigmoid_gradient_loop,
    Tanh: _tanh_gradient_loop,
}


@compiles(Affine)
class CompiledAffine(Affine):
    """Bias and activation in one loop, and their gradients in another.

    The loops get a tile of columns as an array of whole rows; they touch as many columns as the
    bias has.
    """

    def forward_calls(
        self, out: Array, x: Array, w: Array, b: Array, **scratch: Array
    ) -> list[Call]:
        loop = _FORWARD.get(type(self.activation))
        calls = [product_call(x, w, out), call(loop or _shift_loop, wide(out), b)]
        if self.activation is not None and loop is None:
            calls += self.activation.forward_calls(out, out)
        return calls

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, w: Array, b: Array, **scratch: Array
    ) -> list[Call]:
        dx, dw, db = grads
        da = dy if self.activation is None else scratch["da"]
        if db is None:
            return super().backward_calls(grads, dy, out, x, w, b, **scratch)
        calls = []
        if self.activation is None:
            calls.append(call(_sum_loop, wide(da), db))
        elif type(self.activation) in _BACKWARD:
            calls.append(call(_BACKWARD[type(self.activation)], wide(da), db, wide(dy), wide(out)))
        else:
            calls += [
                *self.activation.backward_calls([da], dy, out, out),
                call(_sum_loop, wide(da), db),
            ]
        if dx is not None:
            calls.append(product_call(da, w.T, dx))
        if dw is not None:
            calls.append(product_call(x.T, da, dw))
        return calls
