"""Twins of the fused operations: what stands between two products in one loop."""

import math
from typing import Any, ClassVar

import numpy as np

from nettrain.autodiff.compiled._exponential import exp
from nettrain.autodiff.compiled._twin import Twin, call, wide
from nettrain.autodiff.compiled.reduction import total
from nettrain.autodiff.ops import fused
from nettrain.autodiff.ops.matmul import product_call
from nettrain.autodiff.ops.selection import Relu
from nettrain.autodiff.ops.squashing import Sigmoid, Tanh
from nettrain.autodiff.primitive import Array, Call, Slots
from nettrain.jit import jit


@jit
def _shift(y: Array, b: Array) -> None:
    for i in range(y.shape[0]):
        for j in range(b.size):
            y[i, j] += b[j]


@jit
def _shift_relu(y: Array, b: Array) -> None:
    zero = y.dtype.type(0)
    for i in range(y.shape[0]):
        for j in range(b.size):
            a = y[i, j] + b[j]
            y[i, j] = zero if a <= zero else a  # NaN stays


@jit
def _shift_sigmoid(y: Array, b: Array) -> None:
    one = y.dtype.type(1)
    most = np.log(np.finfo(y.dtype).max) - one  # as in NumPy's form: never quite 0
    for i in range(y.shape[0]):
        for j in range(b.size):
            a = -(y[i, j] + b[j])
            y[i, j] = one / (one + exp(most if a > most else a))


@jit
def _sum(da: Array, db: Array) -> None:
    db[:] = 0
    for i in range(da.shape[0]):
        for j in range(db.size):
            db[j] += da[i, j]


@jit
def _back_relu(da: Array, db: Array, dy: Array, y: Array) -> None:
    zero, one = y.dtype.type(0), y.dtype.type(1)
    db[:] = 0
    for i in range(y.shape[0]):
        for j in range(db.size):
            a = dy[i, j] * (one if y[i, j] > zero else y[i, j])  # 0 or NaN
            da[i, j] = a
            db[j] += a


@jit
def _back_sigmoid(da: Array, db: Array, dy: Array, y: Array) -> None:
    one = y.dtype.type(1)
    db[:] = 0
    for i in range(y.shape[0]):
        for j in range(db.size):
            a = (one - y[i, j]) * y[i, j] * dy[i, j]
            da[i, j] = a
            db[j] += a


@jit
def _back_tanh(da: Array, db: Array, dy: Array, y: Array) -> None:
    one = y.dtype.type(1)
    db[:] = 0
    for i in range(y.shape[0]):
        for j in range(db.size):
            a = (one - y[i, j] * y[i, j]) * dy[i, j]
            da[i, j] = a
            db[j] += a


_FORWARD: dict[type, Any] = {
    Relu: _shift_relu,
    Sigmoid: _shift_sigmoid,
}  # NumPy's tanh is as fast as a loop
_BACKWARD: dict[type, Any] = {Relu: _back_relu, Sigmoid: _back_sigmoid, Tanh: _back_tanh}


class Affine(Twin, fused.Affine):
    """Bias and activation in one loop; so are the activation's derivative and the bias's gradient.

    A tile of columns is handed to the loops as an array of whole rows, of which they touch as many columns as the bias has.
    """

    def forward_calls(
        self, out: Array, x: Array, w: Array, b: Array, **scratch: Array
    ) -> list[Call]:
        loop = _FORWARD.get(type(self.activation))
        calls = [product_call(x, w, out), call(loop or _shift, wide(out), b)]
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
            calls.append(call(_sum, wide(da), db))
        elif type(self.activation) in _BACKWARD:
            calls.append(call(_BACKWARD[type(self.activation)], wide(da), db, wide(dy), wide(out)))
        else:
            calls += [*self.activation.backward_calls([da], dy, out, out), call(_sum, wide(da), db)]
        if dx is not None:
            calls.append(product_call(da, w.T, dx))
        if dw is not None:
            calls.append(product_call(x.T, da, dw))
        return calls


@jit
def _softmax_cross_entropy(out: Array, z: Array, y: Array, p: Array, least: float) -> None:
    n, k = z.shape
    one = p.dtype.type(1)
    for i in range(n):
        peak = p.dtype.type(least)  # a row of -inf: -inf - -inf would be NaN
        for j in range(k):
            peak = max(peak, z[i, j])
        for j in range(k):
            p[i, j] = z[i, j] - peak
        out[i] = -p[i, min(max(y[i], 0), k - 1)]
    powers = p.reshape(n * k)  # rows of ten classes would leave vectors half empty
    for j in range(n * k):
        powers[j] = exp(powers[j])
    for i in range(n):
        powers_sum = total(p, i)
        out[i] += math.log(powers_sum)
        for j in range(k):
            p[i, j] *= one / powers_sum


@jit
def _back_softmax_cross_entropy(dz: Array, dy: Array, y: Array, p: Array) -> None:
    n, k = dz.shape
    for i in range(n):
        for j in range(k):
            dz[i, j] = p[i, j] * dy[i]
        dz[i, min(max(y[i], 0), k - 1)] -= dy[i]


class SoftmaxCrossEntropy(Twin, fused.SoftmaxCrossEntropy):
    """The way forward leaves softmax(z) in `powers`."""

    reads: ClassVar[tuple[int | str, ...]] = (1, "powers")

    def forward_calls(self, out: Array, z: Array, y: Array, **scratch: Array) -> list[Call]:
        return [
            call(
                _softmax_cross_entropy, out, z, y, scratch["powers"], float(np.finfo(out.dtype).min)
            )
        ]

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, z: Array, y: Array, **scratch: Array
    ) -> list[Call]:
        return [call(_back_softmax_cross_entropy, grads[0], dy, y, scratch["powers"])]

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, z: Array, y: Array, **scratch: Array
    ) -> None:
        """J dz = sum_k p_k dz_k - dz_y."""
        dz = dinputs[0]
        np.add.reduce(scratch["powers"] * dz, axis=-1, out=dout)
        dout -= np.take_along_axis(dz, y[:, None], 1)[:, 0]
