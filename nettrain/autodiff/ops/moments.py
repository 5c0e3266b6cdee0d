"""Mean and variance over rows: what batch normalization takes from a batch."""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from nettrain.autodiff.compiled import call, compiles, contiguous, rows
from nettrain.autodiff.primitive import Array, Barrier, Call, Scratch, Shape, Slots
from nettrain.jit import jit


class Moments(Barrier):
    """m = sum x / n, v = sum (x - m)^2 / n;  dx = (dm + 2 (x - m) dv) / n.

    Over all axes but the last.  x (..., c) -> (m, v) (2, c). Shards are merged, weighted by their
    rows, by the formula of Chan, Golub & LeVeque 1983, eq. 2.1.
    """

    reads: ClassVar[tuple[int | str, ...]] = (0, "out", "ones")

    def infer(self, *shapes: Shape) -> Shape:
        """(2, c)."""
        shape = shapes[0]
        if len(shape) < 2 or 0 in shape:
            raise ValueError(
                f"moments: takes at least one row of at least one channel, got the shape {shape}"
            )
        return (2, shape[-1])

    def scratch(self, *shapes: Shape) -> Scratch:
        """centred: x - m and its square; ones: to sum rows, by a product."""
        return {"centred": (shapes[0], None), "ones": ((math.prod(shapes[0][:-1]),), None)}

    def forward(self, out: Array, x: Array, *, centred: Array, ones: Array) -> None:
        ones.fill(1)
        mean, variance = out
        first = x[(0,) * (x.ndim - 1)]  # so the mean of equal elements is exact, their variance 0
        self._mean(np.subtract(x, first, out=centred), ones, mean)
        mean += first
        np.subtract(x, mean, out=centred)
        centred *= centred
        self._mean(centred, ones, variance)

    def _mean(self, x: Array, ones: Array, out: Array) -> None:
        np.matmul(ones, x.reshape(-1, x.shape[-1]), out=out)
        out /= len(ones)

    def backward(
        self, grads: Slots, dy: Array, out: Array, x: Array, *, centred: Array, ones: Array
    ) -> None:
        dx, (mean, _), (dm, dv) = grads[0], out, dy
        np.subtract(x, mean, out=dx)
        dx *= 2 * dv
        dx += dm
        dx /= len(ones)

    def merge(self, outs: Sequence[Array], counts: Sequence[int]) -> None:
        """m = m_a + d n_b / n,  v = (n_a v_a + n_b v_b + d^2 n_a n_b / n) / n, shard after shard.

        n = n_a + n_b, d = m_b - m_a.
        """
        mean, variance = outs[0]
        n = counts[0]
        for (d, other), n_b in zip(outs[1:], counts[1:], strict=True):
            n_a, n = n, n + n_b
            d -= mean
            other *= n_b
            variance *= n_a
            variance += other
            np.multiply(d, d, out=other)
            other *= n_a * n_b / n
            variance += other
            variance /= n
            d *= n_b / n
            mean += d

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, x: Array, *, centred: Array, ones: Array
    ) -> None:
        """J dx: dm = mean dx, dv = 2 mean (x - m) dx."""
        self._mean(dinputs[0], ones, dout[0])
        np.subtract(x, out[0], out=centred)
        centred *= dinputs[0]
        self._mean(centred, ones, dout[1])
        dout[1] *= 2


BLOCK = 128  # rows that have a sum of their own: one sum of 50,000 would lose 3 digits of float32


@jit
def _moments_loop(out: Array, x: Array, work: Array) -> None:
    n, c = x.shape
    count, part, mean, variance = x.dtype.type(n), work[0], out[0], out[1]
    mean[:] = 0
    variance[:] = 0
    for start in range(0, n, BLOCK):
        part[:] = 0
        for i in range(start, min(start + BLOCK, n)):
            for j in range(c):
                part[j] += x[i, j] - x[0, j]
        for j in range(c):
            mean[j] += part[j]
    for j in range(c):
        mean[j] = x[0, j] + mean[j] / count
    for start in range(0, n, BLOCK):
        part[:] = 0
        for i in range(start, min(start + BLOCK, n)):
            for j in range(c):
                d = x[i, j] - mean[j]
                part[j] += d * d
        for j in range(c):
            variance[j] += part[j]
    for j in range(c):
        variance[j] /= count


@jit
def _moments_gradient_loop(
    dx: Array, dm: Array, dv: Array, x: Array, mean: Array, adds: bool
) -> None:
    n, c = x.shape
    count, two = x.dtype.type(n), x.dtype.type(2)
    for i in range(n):
        if adds:
            for j in range(c):
                dx[i, j] += ((x[i, j] - mean[j]) * (two * dv[j]) + dm[j]) / count
        else:
            for j in range(c):
                dx[i, j] = ((x[i, j] - mean[j]) * (two * dv[j]) + dm[j]) / count


@compiles(Moments)
class CompiledMoments(Moments):
    """Two passes over x forward and one backward."""

    reads = (0, "out")  # not `ones`

    def forward_calls(self, out: Array, x: Array, **scratch: Array) -> list[Call]:
        if not x.flags.c_contiguous:
            return super().forward_calls(out, x, **scratch)
        return [call(_moments_loop, out, rows(x), rows(scratch["centred"]))]

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, **scratch: Array
    ) -> list[Call]:
        if not (x.flags.c_contiguous and grads[0].flags.c_contiguous):
            return super().backward_calls(grads, dy, out, x, **scratch)
        dx = rows(grads[0])
        return [call(_moments_gradient_loop, dx, dy[0], dy[1], rows(x), out[0], False)]

    def added_calls(
        self, total: Array, dy: Array, out: Array, x: Array, **scratch: Array
    ) -> list[Call] | None:
        if not contiguous(total, x):
            return None
        return [call(_moments_gradient_loop, rows(total), dy[0], dy[1], rows(x), out[0], True)]

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, x: Array, *, centred: Array, ones: Array
    ) -> None:
        """With NumPy; it needs the ones, which no loop writes."""
        ones.fill(1)
        super().tangent(dout, dinputs, out, x, centred=centred, ones=ones)
