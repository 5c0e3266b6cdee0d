"""Values brought to mean 0 and variance 1, then scaled and shifted: by given moments (batch norm), or each row by its own (layer norm)."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nettrain.autodiff.compiled import call, compiles, contiguous, rows
from nettrain.autodiff.ops.moments import BLOCK
from nettrain.autodiff.ops.reduction import row_sum
from nettrain.autodiff.primitive import Array, Call, Primitive, Scratch, Shape, Slots
from nettrain.jit import jit, jit_sum


def _check(name: str, shape: Shape, *channels: Shape) -> None:
    if len(shape) < 2 or any(found[-1:] != shape[-1:] for found in channels):
        raise ValueError(
            f"{name}: inputs of shapes {' and '.join(map(str, (shape, *channels)))} do not have the same channels"
        )


def _add_up(x: Array, ones: Array, out: Array) -> None:
    """out (c,) = the sum of x (..., c) over all axes but the last; a product is 3 times as fast as a sum over an axis."""
    np.matmul(ones, x.reshape(-1, x.shape[-1]), out=out)


@dataclass(frozen=True)
class Normalize(Primitive):
    """y = gamma (x - m) s + beta, s = 1 / sqrt(v + epsilon).  x (..., c), (m, v) (2, c), gamma (c,), beta (c,) -> y (..., c).

    dx = dy gamma s;  dm = -sum dx;  dv = -s^2 / 2 sum dx (x - m);  dgamma = s sum dy (x - m);  dbeta = sum dy.
    The moments are inputs: the gradient that reaches x through them is the business of what computed them.
    """

    epsilon: float
    reads: ClassVar[tuple[int | str, ...]] = (0, 1, 2, "inverse", "ones")

    def infer(self, *shapes: Shape) -> Shape:
        """That of x."""
        _check("normalize", *shapes)
        return shapes[0]

    def scratch(self, *shapes: Shape) -> Scratch:
        """inverse: s; factor: gamma s; sums: over rows; centred: x - m; ones: 1 for each row."""
        x, _, gamma, _ = shapes
        return {
            "inverse": (gamma, None),
            "factor": (gamma, None),
            "sums": ((2, *gamma), None),
            "centred": (x, None),
            "ones": ((math.prod(x[:-1]),), None),
        }

    def forward(
        self, out: Array, x: Array, moments: Array, gamma: Array, beta: Array,
        *, inverse: Array, factor: Array, sums: Array, centred: Array, ones: Array,
    ) -> None:  # fmt: skip
        mean, variance = moments
        ones.fill(1)
        np.add(variance, self.epsilon, out=inverse)
        np.sqrt(inverse, out=inverse)
        np.reciprocal(inverse, out=inverse)
        np.subtract(x, mean, out=out)
        out *= np.multiply(gamma, inverse, out=factor)
        out += beta

    def backward(
        self, grads: Slots, dy: Array, out: Array, x: Array, moments: Array, gamma: Array, beta: Array,
        *, inverse: Array, factor: Array, sums: Array, centred: Array, ones: Array,
    ) -> None:  # fmt: skip
        dx, dmoments, dgamma, dbeta = grads
        total, product = sums  # sum dy, s sum dy (x - m)
        _add_up(dy, ones, total)
        np.subtract(x, moments[0], out=centred)
        centred *= dy
        _add_up(centred, ones, product)
        product *= inverse
        if dbeta is not None:
            dbeta[...] = total
        if dgamma is not None:
            dgamma[...] = product
        np.multiply(gamma, inverse, out=factor)
        if dx is not None:
            np.multiply(dy, factor, out=dx)
        if dmoments is not None:
            np.multiply(total, factor, out=dmoments[0])
            np.multiply(product, factor, out=dmoments[1])
            dmoments[1] *= inverse
            dmoments[1] *= 0.5
            np.negative(dmoments, out=dmoments)

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, x: Array, moments: Array, gamma: Array, beta: Array,
        *, inverse: Array, **scratch: Any,
    ) -> None:  # fmt: skip
        """The product rule, input by input."""
        dx, dmoments, dgamma, dbeta = dinputs
        dout[...] = 0
        if dx is not None:
            dout += dx * (gamma * inverse)
        if dmoments is not None:
            dout -= gamma * inverse * dmoments[0]
            dout -= (x - moments[0]) * (gamma * inverse**3 * dmoments[1] / 2)
        if dgamma is not None:
            dout += (x - moments[0]) * (inverse * dgamma)
        if dbeta is not None:
            dout += dbeta


def wanted_or(grads: Slots, work: Array, *small: Array) -> list[Array]:
    """The slots; for those that are not wanted, arrays that a loop may fill: work in the place of x, new ones for the small inputs."""
    return [
        grad if grad is not None else other
        for grad, other in zip(grads, [work, *map(np.empty_like, small)], strict=True)
    ]


@jit
def _normalize_loop(
    out: Array,
    x: Array,
    moments: Array,
    gamma: Array,
    beta: Array,
    inverse: Array,
    factor: Array,
    epsilon: float,
) -> None:
    n, c = x.shape
    one, least, mean = x.dtype.type(1), x.dtype.type(epsilon), moments[0]
    for j in range(c):
        inverse[j] = one / math.sqrt(moments[1, j] + least)
        factor[j] = gamma[j] * inverse[j]
    for i in range(n):
        for j in range(c):
            out[i, j] = (x[i, j] - mean[j]) * factor[j] + beta[j]


@jit
def _normalize_gradient_loop(
    dx: Array,
    dmoments: Array,
    dgamma: Array,
    dbeta: Array,
    dy: Array,
    x: Array,
    mean: Array,
    gamma: Array,
    inverse: Array,
    part: Array,
) -> None:
    n, c = x.shape
    half = x.dtype.type(-0.5)
    dbeta[:] = 0
    dgamma[:] = 0
    for start in range(0, n, BLOCK):
        part[:] = 0
        for i in range(start, min(start + BLOCK, n)):
            for j in range(c):
                part[0, j] += dy[i, j]
                part[1, j] += dy[i, j] * (x[i, j] - mean[j])
                dx[i, j] = dy[i, j] * (gamma[j] * inverse[j])
        for j in range(c):
            dbeta[j] += part[0, j]
            dgamma[j] += part[1, j]
    for j in range(c):
        dgamma[j] *= inverse[j]
        dmoments[0, j] = -dbeta[j] * (gamma[j] * inverse[j])
        dmoments[1, j] = dgamma[j] * (gamma[j] * inverse[j]) * inverse[j] * half


@compiles(Normalize)
class CompiledNormalize(Normalize):
    """One pass over the rows each way."""

    reads = (0, 1, 2, "inverse")  # not `ones`

    def forward_calls(
        self, out: Array, x: Array, moments: Array, gamma: Array, beta: Array, **scratch: Array
    ) -> list[Call]:
        if not x.flags.c_contiguous:
            return super().forward_calls(out, x, moments, gamma, beta, **scratch)
        return [
            call(
                _normalize_loop,
                rows(out),
                rows(x),
                moments,
                gamma,
                beta,
                scratch["inverse"],
                scratch["factor"],
                self.epsilon,
            )
        ]

    def backward_calls(
        self,
        grads: Slots,
        dy: Array,
        out: Array,
        x: Array,
        moments: Array,
        gamma: Array,
        beta: Array,
        **scratch: Array,
    ) -> list[Call]:
        if not contiguous(*grads, dy, x):
            ones = scratch["ones"]
            return [
                (ones.fill, (1,), {}),
                *super().backward_calls(grads, dy, out, x, moments, gamma, beta, **scratch),
            ]
        dx, *others = wanted_or(grads, scratch["centred"], moments, gamma, beta)
        return [
            call(
                _normalize_gradient_loop,
                rows(dx),
                *others,
                rows(dy),
                rows(x),
                moments[0],
                gamma,
                scratch["inverse"],
                scratch["sums"],
            )
        ]


@dataclass(frozen=True)
class NormalizeRows(Primitive):
    """y = gamma z + beta, z = (x - mean x) s, s = 1 / sqrt(var x + epsilon), along the last axis.  x (..., c), gamma (c,), beta (c,).

    With dz = dy gamma:  dx = s (dz - mean dz - z mean(dz z));  dgamma = sum dy z;  dbeta = sum dy.
    """

    epsilon: float
    reads: ClassVar[tuple[int | str, ...]] = (1, "normal", "inverse", "ones")

    def infer(self, *shapes: Shape) -> Shape:
        """That of x."""
        _check("normalize rows", *shapes)
        return shapes[0]

    def scratch(self, *shapes: Shape) -> Scratch:
        """normal: z; inverse: s; work: of x's shape; mean: along the last axis; ones: 1 for each row."""
        x = shapes[0]
        row = (*x[:-1], 1)
        return {
            "normal": (x, None), "inverse": (row, None), "work": (x, None), "mean": (row, None), "ones": ((math.prod(x[:-1]),), None)
        }  # fmt: skip

    def forward(
        self, out: Array, x: Array, gamma: Array, beta: Array,
        *, normal: Array, inverse: Array, work: Array, mean: Array, ones: Array,
    ) -> None:  # fmt: skip
        ones.fill(1)
        first = x[..., :1]  # the mean of equal numbers is then exact, and they become exactly 0
        np.mean(np.subtract(x, first, out=work), axis=-1, keepdims=True, out=mean)
        mean += first
        np.subtract(x, mean, out=normal)
        np.mean(np.multiply(normal, normal, out=work), axis=-1, keepdims=True, out=inverse)
        inverse += self.epsilon
        np.sqrt(inverse, out=inverse)
        np.reciprocal(inverse, out=inverse)
        normal *= inverse
        np.multiply(normal, gamma, out=out)
        out += beta

    def backward(
        self, grads: Slots, dy: Array, out: Array, x: Array, gamma: Array, beta: Array,
        *, normal: Array, inverse: Array, work: Array, mean: Array, ones: Array,
    ) -> None:  # fmt: skip
        dx, dgamma, dbeta = grads
        if dbeta is not None:
            _add_up(dy, ones, dbeta)
        if dgamma is not None:
            _add_up(np.multiply(dy, normal, out=work), ones, dgamma)
        if dx is not None:
            np.multiply(dy, gamma, out=dx)
            self._project(dx, normal, inverse, work, mean)

    @staticmethod
    def _project(dz: Array, normal: Array, inverse: Array, work: Array, mean: Array) -> None:
        """The gradient dz becomes s (dz - mean dz - z mean(dz z)); the matrix is symmetric, so it serves gradients and tangents."""
        np.mean(np.multiply(dz, normal, out=work), axis=-1, keepdims=True, out=mean)
        np.multiply(normal, mean, out=work)
        dz -= np.mean(dz, axis=-1, keepdims=True, out=mean)
        dz -= work
        dz *= inverse

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, x: Array, gamma: Array, beta: Array,
        *, normal: Array, inverse: Array, work: Array, mean: Array, ones: Array,
    ) -> None:  # fmt: skip
        """The product rule, input by input."""
        dx, dgamma, dbeta = dinputs
        dout[...] = 0
        if dx is not None:
            dout[...] = dx
            self._project(dout, normal, inverse, work, mean)
            dout *= gamma
        if dgamma is not None:
            dout += normal * dgamma
        if dbeta is not None:
            dout += dbeta


@jit_sum
def _sum_from_first(x: Array, i: int) -> float:
    """Of equal numbers exactly 0."""
    total = x.dtype.type(0)
    for j in range(x.shape[1]):
        total += x[i, j] - x[i, 0]
    return total


@jit_sum
def _squares_loop(x: Array, i: int) -> float:
    found = x.dtype.type(0)
    for j in range(x.shape[1]):
        found += x[i, j] * x[i, j]
    return found


@jit_sum
def _products_loop(a: Array, b: Array, i: int) -> float:
    found = a.dtype.type(0)
    for j in range(a.shape[1]):
        found += a[i, j] * b[i, j]
    return found


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


@compiles(NormalizeRows)
class CompiledNormalizeRows(NormalizeRows):
    """One pass over the rows each way."""

    reads = (1, "normal", "inverse")  # not `ones`

    def forward_calls(
        self, out: Array, x: Array, gamma: Array, beta: Array, **scratch: Array
    ) -> list[Call]:
        if not x.flags.c_contiguous:
            return super().forward_calls(out, x, gamma, beta, **scratch)
        kept = rows(scratch["normal"]), scratch["inverse"].reshape(-1)
        return [call(_normalize_rows_loop, rows(out), rows(x), gamma, beta, *kept, self.epsilon)]

    def backward_calls(
        self,
        grads: Slots,
        dy: Array,
        out: Array,
        x: Array,
        gamma: Array,
        beta: Array,
        **scratch: Array,
    ) -> list[Call]:
        if not contiguous(*grads, dy):
            ones = scratch["ones"]
            return [
                (ones.fill, (1,), {}),
                *super().backward_calls(grads, dy, out, x, gamma, beta, **scratch),
            ]
        dx, *others = wanted_or(grads, scratch["work"], gamma, beta)
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


@dataclass(frozen=True)
class NormalizeGroups(Primitive):
    """y = gamma z + beta, z = (x - m) s, s = 1 / sqrt(v + epsilon), m and v over all places of a row and a group of its channels.

    With dz = dy gamma:  dx = s (dz - mean dz - z mean(dz z)), the means over the same;  dgamma = sum dy z;  dbeta = sum dy.
    x (n, ..., c), gamma (c,), beta (c,); the channels of a group lie side by side.
    """

    groups: int
    epsilon: float
    reads = (1, "normal", "inverse", "ones")

    def infer(self, *shapes: Shape) -> Shape:
        """That of x."""
        _check("normalize groups", *shapes)
        if shapes[0][-1] % self.groups:
            raise ValueError(
                f"normalize groups: {shapes[0][-1]} channels cannot be divided into {self.groups} groups"
            )
        return shapes[0]

    def scratch(self, *shapes: Shape) -> Scratch:
        """normal: z; inverse, mean: s and means for each row and channel; work: of x's shape; group: for each row and group;
        ones: 1 for each place of all rows."""
        x = shapes[0]
        row = (x[0], *(1 for _ in x[1:-1]), x[-1])
        ones = ((math.prod(x[:-1]),), None)
        group = ((x[0], self.groups, 1), None)
        return {
            "normal": (x, None),
            "inverse": (row, None),
            "work": (x, None),
            "mean": (row, None),
            "group": group,
            "ones": ones,
        }

    def _first(self, x: Array, out: Array) -> Array:
        """out (n, 1, ..., 1, c) = the first number of each row and group."""
        n, c = x.shape[0], x.shape[-1]
        by_group = out.reshape(n, self.groups, c // self.groups)
        by_group[...] = x.reshape(n, -1, c)[:, 0].reshape(by_group.shape)[:, :, :1]
        return out

    def _mean(self, x: Array, ones: Array, group: Array, out: Array) -> None:
        """out (n, 1, ..., 1, c) = the mean of x over the places of a row and the channels of a group."""
        n, c = x.shape[0], x.shape[-1]
        places = math.prod(x.shape[1:-1])
        np.matmul(ones[:places], x.reshape(n, places, c), out=out.reshape(n, c))
        by_group = out.reshape(n, self.groups, c // self.groups)
        np.add.reduce(by_group, axis=-1, keepdims=True, out=group)
        group /= places * by_group.shape[2]
        by_group[...] = group

    def forward(
        self, out: Array, x: Array, gamma: Array, beta: Array,
        *, normal: Array, inverse: Array, work: Array, mean: Array, group: Array, ones: Array,
    ) -> None:  # fmt: skip
        ones.fill(1)
        first = self._first(x, inverse)  # the mean of equal numbers is then exact: they become 0
        self._mean(np.subtract(x, first, out=work), ones, group, mean)
        mean += first
        np.subtract(x, mean, out=normal)
        self._mean(np.multiply(normal, normal, out=work), ones, group, inverse)
        inverse += self.epsilon
        np.sqrt(inverse, out=inverse)
        np.reciprocal(inverse, out=inverse)
        normal *= inverse
        np.multiply(normal, gamma, out=out)
        out += beta

    def backward(
        self, grads: Slots, dy: Array, out: Array, x: Array, gamma: Array, beta: Array,
        *, normal: Array, inverse: Array, work: Array, mean: Array, group: Array, ones: Array,
    ) -> None:  # fmt: skip
        dx, dgamma, dbeta = grads
        if dbeta is not None:
            _add_up(dy, ones, dbeta)
        if dgamma is not None:
            _add_up(np.multiply(dy, normal, out=work), ones, dgamma)
        if dx is not None:
            np.multiply(dy, gamma, out=dx)
            self._project(dx, normal, inverse, work, mean, group, ones)

    def _project(
        self,
        dz: Array,
        normal: Array,
        inverse: Array,
        work: Array,
        mean: Array,
        group: Array,
        ones: Array,
    ) -> None:
        """The gradient dz becomes s (dz - mean dz - z mean(dz z)); the matrix is symmetric, so it serves gradients and tangents."""
        self._mean(np.multiply(dz, normal, out=work), ones, group, mean)
        np.multiply(normal, mean, out=work)
        self._mean(dz, ones, group, mean)
        dz -= mean
        dz -= work
        dz *= inverse

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, x: Array, gamma: Array, beta: Array,
        *, normal: Array, inverse: Array, work: Array, mean: Array, group: Array, ones: Array,
    ) -> None:  # fmt: skip
        """The product rule, input by input."""
        dx, dgamma, dbeta = dinputs
        dout[...] = 0
        if dx is not None:
            dout[...] = dx
            self._project(dout, normal, inverse, work, mean, group, ones)
            dout *= gamma
        if dgamma is not None:
            dout += normal * dgamma
        if dbeta is not None:
            dout += dbeta
