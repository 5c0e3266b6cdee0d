"""Group normalization of each row, scaled and shifted."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from nettrain.autodiff.compiled import call, compiles, contiguous
from nettrain.autodiff.ops.moments import BLOCK
from nettrain.autodiff.ops.normalization import check_channels, slots_or
from nettrain.autodiff.ops.row_normalization import RowNormalization
from nettrain.autodiff.primitive import Array, Call, Scratch, Shape, Slots
from nettrain.jit import jit


@dataclass(frozen=True)
class NormalizeGroups(RowNormalization):
    """A set is a group of adjacent channels of a row, at all of its places.  x (n, ..., c).

    Its scratch also has group: a number for each row and group; sums, part: sums over places.
    """

    groups: int
    epsilon: float

    def infer(self, *shapes: Shape) -> Shape:
        """The shape of x."""
        check_channels("normalize groups", *shapes)
        c = shapes[0][-1]
        if c % self.groups:
            raise ValueError(
                f"normalize groups: {c} channels cannot be divided into {self.groups} groups"
            )
        return shapes[0]

    def scratch(self, *shapes: Shape) -> Scratch:
        """That of the base, and group, sums, part."""
        x = shapes[0]
        row = (x[0], *(1 for _ in x[1:-1]), x[-1])
        return {
            "normal": (x, None),
            "inverse": (row, None),
            "mean": (row, None),
            "work": (x, None),
            "group": ((x[0], self.groups, 1), None),
            "sums": ((2, x[-1]), None),
            "part": ((4, x[-1]), None),
            "ones": ((math.prod(x[:-1]),), None),
        }

    def average(self, x: Array, out: Array, scratch: dict[str, Array]) -> None:
        n, c = x.shape[0], x.shape[-1]
        places, group = math.prod(x.shape[1:-1]), scratch["group"]
        np.matmul(scratch["ones"][:places], x.reshape(n, places, c), out=out.reshape(n, c))
        by_group = out.reshape(n, self.groups, c // self.groups)
        np.add.reduce(by_group, axis=-1, keepdims=True, out=group)
        group /= places * by_group.shape[2]
        by_group[...] = group

    def first(self, x: Array, scratch: dict[str, Array]) -> Array:
        n, c = x.shape[0], x.shape[-1]
        by_group = scratch["inverse"].reshape(n, self.groups, c // self.groups)
        by_group[...] = x.reshape(n, -1, c)[:, 0].reshape(by_group.shape)[:, :, :1]
        return scratch["inverse"]


@jit
def _normalize_groups_loop(
    out: Array, x: Array, gamma: Array, beta: Array, normal: Array, inverse: Array,
    sums: Array, part: Array, groups: int, epsilon: float,
) -> None:  # fmt: skip
    """x (n, places, c), inverse (n, c)."""
    n, places, c = x.shape
    few = c // groups
    one, count, least = x.dtype.type(1), x.dtype.type(places * few), x.dtype.type(epsilon)
    first, mean, total = part[1], sums[0], part[0]
    for k in range(n):
        s = inverse[k]
        mean[:] = 0
        s[:] = 0
        for j in range(c):
            first[j] = x[k, 0, j // few * few]  # so the mean of equal elements is exact
        for start in range(0, places, BLOCK):
            total[:] = 0
            for i in range(start, min(start + BLOCK, places)):
                for j in range(c):
                    total[j] += x[k, i, j] - first[j]
            for j in range(c):
                mean[j] += total[j]
        _sum_groups_loop(mean, few)
        for j in range(c):
            mean[j] = first[j] + mean[j] / count
        for start in range(0, places, BLOCK):
            total[:] = 0
            for i in range(start, min(start + BLOCK, places)):
                for j in range(c):
                    d = x[k, i, j] - mean[j]
                    total[j] += d * d
            for j in range(c):
                s[j] += total[j]
        _sum_groups_loop(s, few)
        for j in range(c):
            s[j] = one / math.sqrt(s[j] / count + least)
        for i in range(places):
            for j in range(c):
                normal[k, i, j] = (x[k, i, j] - mean[j]) * s[j]
                out[k, i, j] = normal[k, i, j] * gamma[j] + beta[j]


@jit
def _normalize_groups_gradient_loop(
    dx: Array, dgamma: Array, dbeta: Array, dy: Array, gamma: Array, normal: Array,
    inverse: Array, sums: Array, part: Array, groups: int,
) -> None:  # fmt: skip
    """dy (n, places, c), inverse (n, c); sums (2, c): means of dz and of dz z."""
    n, places, c = dy.shape
    few = c // groups
    count = dy.dtype.type(places * few)
    mean, along = sums[0], sums[1]
    dgamma[:] = 0
    dbeta[:] = 0
    for k in range(n):
        s = inverse[k]
        sums[:] = 0
        for start in range(0, places, BLOCK):
            part[:] = 0
            for i in range(start, min(start + BLOCK, places)):
                for j in range(c):
                    d, z = dy[k, i, j], normal[k, i, j]
                    part[0, j] += d * gamma[j]
                    part[1, j] += d * gamma[j] * z
                    part[2, j] += d
                    part[3, j] += d * z
            for j in range(c):
                mean[j] += part[0, j]
                along[j] += part[1, j]
                dbeta[j] += part[2, j]
                dgamma[j] += part[3, j]
        _sum_groups_loop(mean, few)
        _sum_groups_loop(along, few)
        for j in range(c):
            mean[j] /= count
            along[j] /= count
        for i in range(places):
            for j in range(c):
                dz = dy[k, i, j] * gamma[j]
                dx[k, i, j] = (dz - mean[j] - normal[k, i, j] * along[j]) * s[j]


@jit
def _sum_groups_loop(x: Array, few: int) -> None:
    """Gives each channel the sum of the few channels of its group."""
    for first in range(0, x.size, few):
        total = x[first]
        for j in range(first + 1, first + few):
            total += x[j]
        for j in range(first, first + few):
            x[j] = total


@compiles(NormalizeGroups)
class CompiledNormalizeGroups(NormalizeGroups):
    """A row stays in the cache for its mean, variance and values, and for its gradient."""

    reads = (1, "normal", "inverse")  # not `ones`

    def forward_calls(
        self, out: Array, x: Array, gamma: Array, beta: Array, **scratch: Array
    ) -> list[Call]:
        if not contiguous(x):
            return super().forward_calls(out, x, gamma, beta, **scratch)
        kept = _by_place(scratch["normal"]), _by_row(scratch["inverse"])
        work = scratch["sums"], scratch["part"]
        loop, arrays = _normalize_groups_loop, (_by_place(out), _by_place(x), gamma, beta)
        return [call(loop, *arrays, *kept, *work, self.groups, self.epsilon)]

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, *inputs: Array, **scratch: Array
    ) -> list[Call]:
        if not contiguous(*grads, dy):
            calls = super().backward_calls(grads, dy, out, *inputs, **scratch)
            return [(scratch["ones"].fill, (1,), {}), *calls]
        _, gamma, beta = inputs
        dx, *others = slots_or(grads, scratch["work"], gamma, beta)
        kept = _by_place(scratch["normal"]), _by_row(scratch["inverse"])
        work = scratch["sums"], scratch["part"]
        loop, arrays = _normalize_groups_gradient_loop, (_by_place(dy), gamma)
        return [call(loop, _by_place(dx), *others, *arrays, *kept, *work, self.groups)]

    def tangent(self, *args: Any, **scratch: Any) -> None:
        """With NumPy; it needs the ones, which no loop writes."""
        scratch["ones"].fill(1)
        super().tangent(*args, **scratch)


def _by_place(x: Array) -> Array:
    """(n, ..., c) as (n, places, c)."""
    return x.reshape(x.shape[0], math.prod(x.shape[1:-1]), x.shape[-1])


def _by_row(x: Array) -> Array:
    return x.reshape(x.shape[0], x.shape[-1])
