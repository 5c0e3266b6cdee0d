"""Normalization of each row by its own moments: the base, and layer norm."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nettrain.autodiff.compiled import call, compiles, contiguous, rows
from nettrain.autodiff.ops.normalization import check_channels, slots_or, sum_rows
from nettrain.autodiff.ops.reduction import row_sum
from nettrain.autodiff.primitive import Array, Call, Primitive, Scratch, Shape, Slots
from nettrain.jit import jit, jit_sum


class RowNormalization(Primitive):
    """y = gamma z + beta, z = (x - m) s, s = 1 / sqrt(v + epsilon), m and v the moments of a set.

    With dz = dy gamma:  dx = s (dz - mean dz - z mean(dz z)), means over the set;
    dgamma = sum dy z;  dbeta = sum dy.  x (n, ..., c), gamma (c,), beta (c,) -> y (n, ..., c).

    Its scratch has normal: z; inverse: s; mean: means; work: of the shape of x; ones: to sum rows.
    """

    epsilon: float
    reads: ClassVar[tuple[int | str, ...]] = (1, "normal", "inverse", "ones")

    @abstractmethod
    def average(self, x: Array, out: Array, scratch: dict[str, Array]) -> None:
        """out = the mean of x over each set."""

    @abstractmethod
    def first(self, x: Array, scratch: dict[str, Array]) -> Array:
        """The first element of each set, in scratch that the moments do not use."""

    def forward(self, out: Array, x: Array, gamma: Array, beta: Array, **scratch: Array) -> None:
        normal, inverse, mean, work = _four(scratch)
        scratch["ones"].fill(1)
        first = self.first(x, scratch)  # so the mean of equal elements is exact: they become 0
        self.average(np.subtract(x, first, out=work), mean, scratch)
        mean += first
        np.subtract(x, mean, out=normal)
        self.average(np.multiply(normal, normal, out=work), inverse, scratch)
        inverse += self.epsilon
        np.sqrt(inverse, out=inverse)
        np.reciprocal(inverse, out=inverse)
        normal *= inverse
        np.multiply(normal, gamma, out=out)
        out += beta

    def backward(
        self, grads: Slots, dy: Array, out: Array, x: Array, gamma: Array, beta: Array,
        **scratch: Array,
    ) -> None:  # fmt: skip
        (dx, dgamma, dbeta), ones = grads, scratch["ones"]
        if dbeta is not None:
            sum_rows(dy, ones, dbeta)
        if dgamma is not None:
            sum_rows(np.multiply(dy, scratch["normal"], out=scratch["work"]), ones, dgamma)
        if dx is not None:
            np.multiply(dy, gamma, out=dx)
            self._project(dx, scratch)

    def _project(self, dz: Array, scratch: dict[str, Array]) -> None:
        """dz = s (dz - mean dz - z mean(dz z)).

        This matrix is symmetric, so it serves gradients and tangents.
        """
        normal, inverse, mean, work = _four(scratch)
        self.average(np.multiply(dz, normal, out=work), mean, scratch)
        np.multiply(normal, mean, out=work)
        self.average(dz, mean, scratch)
        dz -= mean
        dz -= work
        dz *= inverse

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, x: Array, gamma: Array, beta: Array,
        **scratch: Array,
    ) -> None:  # fmt: skip
        """The product rule, input by input."""
        dx, dgamma, dbeta = dinputs
        dout[...] = 0
        if dx is not None:
            dout[...] = dx
            self._project(dout, scratch)
            dout *= gamma
        if dgamma is not None:
            dout += scratch["normal"] * dgamma
        if dbeta is not None:
            dout += dbeta


def _four(scratch: dict[str, Array]) -> tuple[Array, Array, Array, Array]:
    return scratch["normal"], scratch["inverse"], scratch["mean"], scratch["work"]


@dataclass(frozen=True)
class NormalizeRows(RowNormalization):
    """Layer normalization: a set is the last axis.  x (..., c)."""

    epsilon: float

    def infer(self, *shapes: Shape) -> Shape:
        """The shape of x."""
        check_channels("normalize rows", *shapes)
        return shapes[0]

    def scratch(self, *shapes: Shape) -> Scratch:
        """That of the base."""
        x = shapes[0]
        row = (*x[:-1], 1)
        return {
            "normal": (x, None),
            "inverse": (row, None),
            "mean": (row, None),
            "work": (x, None),
            "ones": ((math.prod(x[:-1]),), None),
        }

    def average(self, x: Array, out: Array, scratch: dict[str, Array]) -> None:
        np.mean(x, axis=-1, keepdims=True, out=out)

    def first(self, x: Array, scratch: dict[str, Array]) -> Array:
        return x[..., :1]


@jit
def _normalize_rows_loop(
    out: Array, x: Array, gamma: Array, beta: Array, normal: Array, inverse: Array, epsilon: float
) -> None:
    n, c = x.shape
    one, count, least = x.dtype.type(1), x.dtype.type(c), x.dtype.type(epsilon)
    for i in range(n):
        mean = x[i, 0] + _sum_from_first(x, i) / count
        for j in range(c):
            normal[i, j] = x[i, j] - mean
        s = one / math.sqrt(_squares_loop(normal, i) / count + least)
        inverse[i] = s
        for j in range(c):
            normal[i, j] *= s
            out[i, j] = normal[i, j] * gamma[j] + beta[j]


@jit
def _normalize_rows_gradient_loop(
    dx: Array, dgamma: Array, dbeta: Array, dy: Array, gamma: Array, normal: Array, inverse: Array
) -> None:
    n, c = dy.shape
    count = dy.dtype.type(c)
    dgamma[:] = 0
    dbeta[:] = 0
    for i in range(n):
        for j in range(c):
            dbeta[j] += dy[i, j]
            dgamma[j] += dy[i, j] * normal[i, j]
            dx[i, j] = dy[i, j] * gamma[j]
        mean, along = row_sum(dx, i) / count, _products_loop(dx, normal, i) / count
        for j in range(c):
            dx[i, j] = (dx[i, j] - mean - normal[i, j] * along) * inverse[i]


@jit_sum
def _sum_from_first(x: Array, i: int) -> float:
    """The sum of x[i, j] - x[i, 0]: exactly 0 for equal elements."""
    total = x.dtype.type(0)
    for j in range(x.shape[1]):
        total += x[i, j] - x[i, 0]
    return total


@jit_sum
def _squares_loop(x: Array, i: int) -> float:
    total = x.dtype.type(0)
    for j in range(x.shape[1]):
        total += x[i, j] * x[i, j]
    return total


@jit_sum
def _products_loop(a: Array, b: Array, i: int) -> float:
    total = a.dtype.type(0)
    for j in range(a.shape[1]):
        total += a[i, j] * b[i, j]
    return total


@compiles(NormalizeRows)
class CompiledNormalizeRows(NormalizeRows):
    """One pass over the rows forward and one backward."""

    reads = (1, "normal", "inverse")  # not `ones`

    def forward_calls(
        self, out: Array, x: Array, gamma: Array, beta: Array, **scratch: Array
    ) -> list[Call]:
        if not x.flags.c_contiguous:
            return super().forward_calls(out, x, gamma, beta, **scratch)
        kept = rows(scratch["normal"]), scratch["inverse"].reshape(-1)
        return [call(_normalize_rows_loop, rows(out), rows(x), gamma, beta, *kept, self.epsilon)]

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, *inputs: Array, **scratch: Array
    ) -> list[Call]:
        if not contiguous(*grads, dy):
            calls = super().backward_calls(grads, dy, out, *inputs, **scratch)
            return [(scratch["ones"].fill, (1,), {}), *calls]
        _, gamma, beta = inputs
        dx, *others = slots_or(grads, scratch["work"], gamma, beta)
        return [
            call(
                _normalize_rows_gradient_loop,
                rows(dx),
                *others,
                rows(dy),
                gamma,
                rows(scratch["normal"]),
                scratch["inverse"].reshape(-1),
            )
        ]
