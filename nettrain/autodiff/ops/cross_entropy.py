"""Softmax, logarithm and choice of the class at once: what fusion replaces a cross-entropy by."""

import math
from typing import ClassVar

import numpy as np

from nettrain.autodiff.compiled import call, compiles
from nettrain.autodiff.ops.exponential import exp
from nettrain.autodiff.ops.indexing import Pick
from nettrain.autodiff.ops.reduction import row_sum
from nettrain.autodiff.ops.softmax import LogSoftmax
from nettrain.autodiff.primitive import Array, Call, Primitive, Scratch, Shape, Slots
from nettrain.jit import jit

_LOG_SOFTMAX, _PICK = LogSoftmax(), Pick()


class SoftmaxCrossEntropy(Primitive):
    """L = -ln softmax(z)_y;  dz = dL (softmax(z) - onehot(y)).

    Bitwise identical to its operations one after the other.
    Logits z (n, k), classes y (n,) -> L (n,).
    """

    reads: ClassVar[tuple[int | str, ...]] = ("logp", "places")

    def infer(self, *shapes: Shape) -> Shape:
        """(n,)."""
        z, y = shapes
        if len(z) != 2 or y != z[:1]:
            raise ValueError(f"cross-entropy takes logits (n, k) and classes (n,), got {z} and {y}")
        return y

    def scratch(self, *shapes: Shape) -> Scratch:
        """logp: ln softmax; powers, total: for it; places: i k + y[i]; picked: softmax there."""
        z, y = shapes
        return {
            "logp": (z, None),
            "powers": (z, None),
            "total": ((*y, 1), None),
            "places": (y, np.intp),
            "picked": (y, None),
        }

    def forward(self, out: Array, z: Array, y: Array, **scratch: Array) -> None:
        _LOG_SOFTMAX.forward(scratch["logp"], z, powers=scratch["powers"], total=scratch["total"])
        _PICK.forward(out, scratch["logp"], y, places=scratch["places"])
        np.negative(out, out=out)

    def backward(
        self, grads: Slots, dy: Array, out: Array, z: Array, y: Array, **scratch: Array
    ) -> None:
        dz, places = grads[0], scratch["places"]
        np.exp(scratch["logp"], out=dz)
        dz *= dy[:, None]
        picked = dz.take(places, None, scratch["picked"], "clip")
        picked -= dy
        dz.put(places, picked)

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, z: Array, y: Array, **scratch: Array
    ) -> None:
        """J dz = sum_k p_k dz_k - dz_y."""
        dz = dinputs[0]
        np.add.reduce(np.exp(scratch["logp"]) * dz, axis=1, out=dout)
        dout -= np.take(dz, scratch["places"])


@jit
def _softmax_cross_entropy_loop(out: Array, z: Array, y: Array, p: Array, least: float) -> None:
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
        powers_sum = row_sum(p, i)
        out[i] += math.log(powers_sum)
        for j in range(k):
            p[i, j] *= one / powers_sum


@jit
def _softmax_cross_entropy_gradient_loop(dz: Array, dy: Array, y: Array, p: Array) -> None:
    n, k = dz.shape
    for i in range(n):
        for j in range(k):
            dz[i, j] = p[i, j] * dy[i]
        dz[i, min(max(y[i], 0), k - 1)] -= dy[i]


@compiles(SoftmaxCrossEntropy)
class CompiledSoftmaxCrossEntropy(SoftmaxCrossEntropy):
    """The forward pass leaves softmax(z) in `powers`."""

    reads: ClassVar[tuple[int | str, ...]] = (1, "powers")

    def forward_calls(self, out: Array, z: Array, y: Array, **scratch: Array) -> list[Call]:
        return [
            call(
                _softmax_cross_entropy_loop,
                out,
                z,
                y,
                scratch["powers"],
                float(np.finfo(out.dtype).min),
            )
        ]

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, z: Array, y: Array, **scratch: Array
    ) -> list[Call]:
        return [call(_softmax_cross_entropy_gradient_loop, grads[0], dy, y, scratch["powers"])]

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, z: Array, y: Array, **scratch: Array
    ) -> None:
        """J dz = sum_k p_k dz_k - dz_y."""
        dz = dinputs[0]
        np.add.reduce(scratch["powers"] * dz, axis=1, out=dout)
        dout -= np.take_along_axis(dz, y[:, None], 1)[:, 0]
