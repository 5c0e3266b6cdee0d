"""Pooling of images, channels last: the base, and the mean of each window."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nettrain.autodiff.compiled import call, compiles, contiguous
from nettrain.autodiff.ops.windows import Pair, Windows, copy_call, in_parts
from nettrain.autodiff.primitive import Array, Call, DefinedByCalls, Linear, Scratch, Shape, Slots
from nettrain.jit import jit

CACHE = 96 * 1024  # numbers that are worked on at a time
Place = tuple[slice, slice]  # windows, pixels


@dataclass(frozen=True)
class Pool(DefinedByCalls):
    """The base of pools of windows.  x (n, h, w, c) -> y (n, p, q, c).

    Attributes:
        size: Of a window.
        stride: Distance of neighbouring windows, down and across.
        padding: Pixels that do not count, at (top, bottom), (left, right).
    """

    size: Pair = (2, 2)
    stride: Pair = (2, 2)
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0))

    def infer(self, *shapes: Shape) -> Shape:
        """(n, p, q, c)."""
        x = shapes[0]
        if len(x) != 4:
            raise ValueError(f"pooling: takes images (n, h, w, c), got {x}")
        if any(max(around) >= size for around, size in zip(self.padding, self.size, strict=True)):
            raise ValueError(
                f"pooling: with the padding {self.padding} "
                f"some windows of {self.size} would hold no pixel"
            )
        down, across = self._windows.grid(*x[1:3])
        if down < 1 or across < 1:
            raise ValueError(
                f"pooling: a window {self.size} does not fit on images {x} "
                f"with padding {self.padding}"
            )
        return (x[0], down, across, x[3])

    @property
    def _windows(self) -> Windows:
        return Windows(self.size, self.stride, self.padding, (1, 1))

    def _parts(self, x: Shape) -> Iterator[slice]:
        """The images that are computed at a time."""
        return in_parts(x[0], self._images(x))

    def _images(self, x: Shape) -> int:
        _, down, across, c = self.infer(x)
        return min(x[0], max(1, CACHE // max(1, c * (x[1] * x[2] + 2 * down * across))))

    def _places(self, x: Shape) -> tuple[list[Place], list[Place]]:
        """Down and across, per element of a window: the windows that have it, and its pixels."""
        sizes = zip(
            x[1:3], self._windows.grid(*x[1:3]), self.size, self.stride, self.padding, strict=True
        )
        down, across = (list(_along(*axis)) for axis in sizes)
        return down, across


def _along(length: int, count: int, size: int, stride: int, around: Pair) -> Iterator[Place]:
    before = around[0]
    for i in range(size):
        first, last = (
            max(0, -((i - before) // stride)),
            min(count - 1, (length - 1 + before - i) // stride),
        )
        if first <= last:
            yield (
                slice(first, last + 1),
                slice(first * stride + i - before, last * stride + i - before + 1, stride),
            )


def fold(
    function: Any, nothing: float, out: Array, x: Array, places: list[Place], axis: int
) -> list[Call]:
    """out = the elements of each window along an axis, reduced by a function; nothing: of none."""
    seen = [(out[at(axis, there)], x[at(axis, here)]) for there, here in places]
    whole = [y.shape == out.shape for y, _ in seen[:2]]
    calls: list[Call]
    if whole == [True, True]:
        calls, rest = [(function, (seen[0][1], seen[1][1]), {"out": out})], seen[2:]
    elif whole[0]:
        calls, rest = [copy_call(out, seen[0][1])], seen[1:]
    else:
        calls, rest = [(out.fill, (nothing,), {})], seen
    return calls + [(function, (y, part), {"out": y}) for y, part in rest]


def at(axis: int, part: slice) -> tuple[slice, ...]:
    """The index of a part along an axis."""
    return (*(slice(None),) * axis, part)


def tiles(places: list[Place], length: int) -> bool:
    """Whether each of so many pixels is in just one window."""
    return sorted(i for _, here in places for i in range(length)[here]) == list(range(length))


def one_row(rows: Array) -> Array:
    """The sums of the columns of one row of windows."""
    return rows.reshape(-1)[: rows.shape[2] * rows.shape[3]]


@dataclass(frozen=True)
class AveragePool(Pool, Linear):
    """y[p, q, c] = mean_ij x[p s + i - top, q s + j - left, c];  dx adds up dy / number of pixels.

    The padding does not count.
    """

    def scratch(self, *shapes: Shape) -> Scratch:
        """rows: the sum of each column of a window, and its gradient; share: dy / number."""
        x, m, (_, down, across, c) = shapes[0], self._images(shapes[0]), self.infer(*shapes)
        return {"rows": ((m, down, x[2], c), None), "share": ((m, down, across, c), None)}

    def _weights(self, x: Array) -> Array | float:
        """1 / number of pixels in each window."""
        if not self._windows.pads:
            return 1 / (self.size[0] * self.size[1])
        counts = []
        for places, count in zip(
            self._places(x.shape), self._windows.grid(*x.shape[1:3]), strict=True
        ):
            counts.append(np.zeros(count))
            for there, _ in places:
                counts[-1][there] += 1
        weights: Array = (1 / np.outer(*counts))[..., None].astype(x.dtype)
        return weights

    def forward_calls(self, out: Array, x: Array, *, rows: Array, **scratch: Array) -> list[Call]:
        (down, across), weights, calls = self._places(x.shape), self._weights(x), list[Call]()
        for part in self._parts(x.shape):
            y, between = out[part], rows[: part.stop - part.start]
            calls += fold(np.add, 0, between, x[part], down, 1)
            calls += fold(np.add, 0, y, between, across, 2)
            calls.append((np.multiply, (y, weights, y), {}))
        return calls

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, *, rows: Array, share: Array
    ) -> list[Call]:
        dx, (down, across), calls = grads[0], self._places(x.shape), list[Call]()
        weights = self._weights(x)
        for part in self._parts(x.shape):
            few = slice(0, part.stop - part.start)
            calls.append((np.multiply, (dy[part], weights, share[few]), {}))
            calls += _spread(rows[few], share[few], across, 2)
            calls += _spread(dx[part], rows[few], down, 1)
        return calls


def _spread(dx: Array, dy: Array, places: list[Place], axis: int) -> list[Call]:
    """dx of a sum along an axis: each pixel has the dy of all windows that it is in."""
    seen = [(dx[at(axis, here)], dy[at(axis, there)]) for there, here in places]
    if tiles(places, dx.shape[axis]):
        return [copy_call(part, d) for part, d in seen]
    return [(dx.fill, (0,), {}), *((np.add, (part, d, part), {}) for part, d in seen)]


@jit
def _mean_loop(
    out: Array, x: Array, rows: Array, weights: Array,
    high: int, wide: int, down: int, across: int, top: int, left: int,
) -> None:  # fmt: skip
    """rows (w c,): the sum of each column of a row of windows; weights (p, q)."""
    n, h, w, c = x.shape
    run = w * c
    for k in range(n):
        image = x[k].reshape(h, run)
        for p in range(out.shape[1]):
            first = max(p * down - top, 0)
            for t in range(run):
                rows[t] = image[first, t]
            for i in range(first + 1, min(p * down - top + high, h)):
                line = image[i]
                for t in range(run):
                    rows[t] += line[t]
            for q in range(out.shape[2]):
                y, first, weight = out[k, p, q], max(q * across - left, 0), weights[p, q]
                for m in range(c):
                    y[m] = rows[first * c + m]
                for j in range(first + 1, min(q * across - left + wide, w)):
                    other = rows[j * c :]
                    for m in range(c):
                        y[m] += other[m]
                for m in range(c):
                    y[m] *= weight


@jit
def _mean_gradient_loop(
    dx: Array, dy: Array, rows: Array, weights: Array,
    high: int, wide: int, down: int, across: int, top: int, left: int,
) -> None:  # fmt: skip
    """rows (w c,): the gradient of the sums of columns."""
    n, h, w, c = dx.shape
    run = w * c
    for k in range(n):
        image = dx[k].reshape(h, run)
        image[:] = 0
        for p in range(dy.shape[1]):
            rows[:] = 0
            for q in range(dy.shape[2]):
                d, first, weight = dy[k, p, q], max(q * across - left, 0), weights[p, q]
                for j in range(first, min(q * across - left + wide, w)):
                    other = rows[j * c :]
                    for m in range(c):
                        other[m] += d[m] * weight
            for i in range(max(p * down - top, 0), min(p * down - top + high, h)):
                line = image[i]
                for t in range(run):
                    line[t] += rows[t]


@compiles(AveragePool)
class CompiledAveragePool(AveragePool):
    """One loop over the windows forward and one backward; the sums of columns stay in the cache."""

    def forward_calls(self, out: Array, x: Array, *, rows: Array, **scratch: Array) -> list[Call]:
        if not contiguous(x):
            return super().forward_calls(out, x, rows=rows, **scratch)
        return [call(_mean_loop, out, x, one_row(rows), *self._geometry(x))]

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, *, rows: Array, share: Array
    ) -> list[Call]:
        if not contiguous(*grads, dy):
            return super().backward_calls(grads, dy, out, x, rows=rows, share=share)
        return [call(_mean_gradient_loop, grads[0], dy, one_row(rows), *self._geometry(x))]

    def _geometry(self, x: Array) -> tuple[Any, ...]:
        _, down, across, _ = self.infer(x.shape)
        weights = np.empty((down, across), x.dtype)
        weights[..., None] = self._weights(x)
        (top, _), (left, _) = self.padding
        return weights, *self.size, *self.stride, top, left
