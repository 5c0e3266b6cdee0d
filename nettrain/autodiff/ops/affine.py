"""A product with its bias and activation: what fusion replaces a dense layer by."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nettrain.autodiff.compiled import call, compiled_form, compiles, contiguous, wide
from nettrain.autodiff.ops.exponential import exp
from nettrain.autodiff.ops.matmul import Matmul, columns, make_tiles, product_call
from nettrain.autodiff.ops.selection import Relu
from nettrain.autodiff.ops.smooth import Sigmoid, Tanh
from nettrain.autodiff.primitive import (
    Array,
    Call,
    ElementWise,
    Multilinear,
    Primitive,
    Scratch,
    Shape,
    Slots,
)
from nettrain.jit import jit


@dataclass(frozen=True)
class Affine(Primitive):
    """y = act(x w + b);  da = dy act'(y), dx = da w^T, dw = x^T da, db = sum_n da.

    Bitwise identical to its operations one after the other.
    x (n, i), w (i, o), b (o,) -> y (n, o); with another product as that takes and gives them, and b
    has the shape of a row of y.

    Attributes:
        activation: Element-wise; its derivative follows from its output (relu, sigmoid, tanh).
        product: x w: of matrices, of each feature with its own (FeatureProduct), or with a diagonal
            matrix (Scale).
    """

    activation: ElementWise | None = None
    product: Multilinear = Matmul()
    reads = (0, 1, "out")

    def infer(self, *shapes: Shape) -> Shape:
        """That of the product."""
        x, w, b = shapes
        y = self.product.infer(x, w)
        if b != y[1:]:
            raise ValueError(f"affine: a bias {b} does not fit rows {y[1:]} of x {x} and w {w}")
        return y

    def scratch(self, *shapes: Shape) -> Scratch:
        """That of the product; da: the gradient before the activation."""
        own = self.product.scratch(*shapes[:2])
        return own if self.activation is None else own | {"da": (self.infer(*shapes), None)}

    def forward(self, out: Array, x: Array, w: Array, b: Array, **scratch: Array) -> None:
        tiles = self.forward_tiles(out, x, w, b)
        make_tiles([[self.forward_calls(out, x, w, b, **scratch)]] if tiles is None else tiles)

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
        calls = self.product.forward_calls(out, x, w)
        calls.append((np.add, (out, b, out), {}))
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
        return calls + self._product_gradients([dx, dw], da, out, x, w, scratch)

    def _product_gradients(
        self,
        grads: Slots,
        da: Array,
        out: Array,
        x: Array,
        w: Array,
        scratch: dict[str, Array],
        product: Primitive | None = None,
    ) -> list[Call]:
        """dx and dw."""
        if all(grad is None for grad in grads):
            return []
        own = {name: array for name, array in scratch.items() if name != "da"}
        return (product or self.product).backward_calls(grads, da, out, x, w, **own)

    def factors(
        self, dy: Array, x: Array, w: Array, b: Array, **scratch: Array
    ) -> tuple[Array, Array] | None:
        """x^T and da."""
        return self.product.factors(scratch.get("da", dy), x, w)

    def _tiles(self, w: Array) -> list[slice] | None:
        """Of the columns of w, where it is a wide matrix."""
        return columns(*w.shape) if isinstance(self.product, Matmul) else None

    def forward_tiles(
        self, out: Array, x: Array, w: Array, b: Array, **scratch: Array
    ) -> list[list[list[Call]]] | None:
        """One queue per tile of the columns of w, and so of y."""
        tiles = self._tiles(w)
        if tiles is None:
            return None
        return [[self.forward_calls(out[:, t], x, w[:, t], b[t]) for t in tiles]]

    def backward_tiles(
        self, grads: Slots, dy: Array, out: Array, x: Array, w: Array, b: Array, **scratch: Array
    ) -> list[list[list[Call]]] | None:
        """First da, dw and db, one queue per tile of the columns of w.

        Then dx, which needs all of da, one queue per tile of its own columns.
        """
        tiles = self._tiles(w)
        if tiles is None:
            return None
        da, (dx, dw, db) = scratch.get("da", dy), grads
        phases = []
        if not (dw is None and db is None and self.activation is None):
            phases.append([
                self.backward_calls(
                    [None, None if dw is None else dw[:, t], None if db is None else db[t]],
                    dy[:, t], out[:, t], x, w[:, t], b[t], da=da[:, t],
                )
                for t in tiles
            ])  # fmt: skip
        if dx is not None:
            own = columns(*w.T.shape) or [slice(None)]
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
        *dproduct, db = dinputs
        total = np.empty_like(dout)
        self.product.tangent(total, dproduct, out, x, w)
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
            y[i, j] = zero if a < zero else a  # NaN stays


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
        if not contiguous(b):
            return super().forward_calls(out, x, w, b, **scratch)
        loop = _FORWARD.get(type(self.activation))
        product = compiled_form(self.product)
        calls = product.forward_calls(out, x, w)
        calls.append(call(loop or _shift_loop, _wide_rows(out), b.reshape(-1)))
        if self.activation is not None and loop is None:
            calls += self.activation.forward_calls(out, out)
        return calls

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, w: Array, b: Array, **scratch: Array
    ) -> list[Call]:
        dx, dw, db = grads
        if db is None or not contiguous(db) or (dy.ndim > 2 and not contiguous(dy)):
            return super().backward_calls(grads, dy, out, x, w, b, **scratch)
        da, sums = scratch.get("da", dy), db.reshape(-1)
        loop = _BACKWARD.get(type(self.activation))
        if loop is not None:
            calls = [call(loop, _wide_rows(da), sums, _wide_rows(dy), _wide_rows(out))]
        else:
            calls = [call(_sum_loop, _wide_rows(da), sums)]
            if self.activation is not None:
                calls = self.activation.backward_calls([da], dy, out, out) + calls
        product = compiled_form(self.product)
        return calls + self._product_gradients([dx, dw], da, out, x, w, scratch, product)


def _wide_rows(x: Array) -> Array:
    """A matrix of the rows of x; one with some columns of another as `wide` takes it."""
    return wide(x) if x.ndim == 2 else x.reshape(len(x), -1)
