"""Twins of the normalizations."""

import math

import numpy as np

from nettrain.autodiff.compiled._twin import Twin, call, contiguous, rows
from nettrain.autodiff.compiled.moments import BLOCK
from nettrain.autodiff.compiled.reduction import total
from nettrain.autodiff.ops import normalization
from nettrain.autodiff.primitive import Array, Call, Slots
from nettrain.jit import jit, jit_sum


def wanted_or(grads: Slots, work: Array, *small: Array) -> list[Array]:
    """The slots; for those that are not wanted, arrays that a loop may fill: work in the place of x, new ones for the small inputs."""
    return [
        grad if grad is not None else other
        for grad, other in zip(grads, [work, *map(np.empty_like, small)], strict=True)
    ]


@jit
def _normalize(
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
def _back_normalize(
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


class Normalize(Twin, normalization.Normalize):
    """One pass over the rows each way."""

    reads = (0, 1, 2, "inverse")  # not `ones`

    def forward_calls(
        self, out: Array, x: Array, moments: Array, gamma: Array, beta: Array, **scratch: Array
    ) -> list[Call]:
        if not x.flags.c_contiguous:
            return super().forward_calls(out, x, moments, gamma, beta, **scratch)
        return [
            call(
                _normalize,
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
                _back_normalize,
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


@jit_sum
def _squares(x: Array, i: int) -> float:
    found = x.dtype.type(0)
    for j in range(x.shape[1]):
        found += x[i, j] * x[i, j]
    return found


@jit_sum
def _products(a: Array, b: Array, i: int) -> float:
    found = a.dtype.type(0)
    for j in range(a.shape[1]):
        found += a[i, j] * b[i, j]
    return found


@jit
def _normalize_rows(
    out: Array, x: Array, gamma: Array, beta: Array, normal: Array, inverse: Array, epsilon: float
) -> None:
    n, c = x.shape
    one, count, least = x.dtype.type(1), x.dtype.type(c), x.dtype.type(epsilon)
    for i in range(n):
        mean = total(x, i) / count
        for j in range(c):
            normal[i, j] = x[i, j] - mean
        s = one / math.sqrt(_squares(normal, i) / count + least)
        inverse[i] = s
        for j in range(c):
            normal[i, j] *= s
            out[i, j] = normal[i, j] * gamma[j] + beta[j]


@jit
def _back_normalize_rows(
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
        mean, along = total(dx, i) / count, _products(dx, normal, i) / count
        for j in range(c):
            dx[i, j] = (dx[i, j] - mean - normal[i, j] * along) * inverse[i]


class NormalizeRows(Twin, normalization.NormalizeRows):
    """One pass over the rows each way."""

    reads = (1, "normal", "inverse")  # not `ones`

    def forward_calls(
        self, out: Array, x: Array, gamma: Array, beta: Array, **scratch: Array
    ) -> list[Call]:
        if not x.flags.c_contiguous:
            return super().forward_calls(out, x, gamma, beta, **scratch)
        kept = rows(scratch["normal"]), scratch["inverse"].reshape(-1)
        return [call(_normalize_rows, rows(out), rows(x), gamma, beta, *kept, self.epsilon)]

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
                _back_normalize_rows,
                rows(dx),
                *others,
                rows(dy),
                gamma,
                rows(scratch["normal"]),
                scratch["inverse"].reshape(-1),
            )
        ]
