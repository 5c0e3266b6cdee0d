"""Pooling of images, channels last: the largest or the mean of each window's pixels, a few images at a time, or of all pixels."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nettrain.autodiff.compiled import call, compiles, contiguous
from nettrain.autodiff.ops.windows import Pair, Windows, copy_call
from nettrain.autodiff.primitive import (
    Array,
    Call,
    Linear,
    Primitive,
    Scratch,
    Shape,
    Slots,
    make_calls,
)
from nettrain.jit import jit

CACHE = 96 * 1024  # numbers that a part of the work may hold
Place = tuple[slice, slice]


@dataclass(frozen=True)
class _Pool(Primitive):
    """padding: pixels that do not count, at (top, bottom), (left, right)."""

    size: Pair = (2, 2)
    stride: Pair = (2, 2)
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0))

    def infer(self, *shapes: Shape) -> Shape:
        """(n, p, q, c)."""
        x = shapes[0]
        if len(x) != 4:
            raise ValueError(f"pooling: want images (n, h, w, c), got {x}")
        if any(max(around) >= size for around, size in zip(self.padding, self.size, strict=True)):
            raise ValueError(
                f"pooling: with the padding {self.padding} some windows of {self.size} would hold no pixel"
            )
        down, across = self._windows.grid(*x[1:3])
        if down < 1 or across < 1:
            raise ValueError(
                f"pooling: a window {self.size} does not fit on images {x} with padding {self.padding}"
            )
        return (x[0], down, across, x[3])

    @property
    def _windows(self) -> Windows:
        return Windows(self.size, self.stride, self.padding, (1, 1))

    def _parts(self, x: Shape) -> Iterator[slice]:
        """The images that are worked on at a time."""
        step = self._images(x) or 1
        return (slice(start, min(start + step, x[0])) for start in range(0, x[0], step))

    def _images(self, x: Shape) -> int:
        _, down, across, c = self.infer(x)
        return min(x[0], max(1, CACHE // max(1, c * (x[1] * x[2] + 2 * down * across))))

    def _places(self, x: Shape) -> tuple[list[Place], list[Place]]:
        """Down and across: for each element of a window, the windows in which it is a pixel, and these pixels."""
        sizes = zip(
            x[1:3], self._windows.grid(*x[1:3]), self.size, self.stride, self.padding, strict=True
        )
        down, across = (list(_along(*axis)) for axis in sizes)
        return down, across

    def forward(self, out: Array, x: Array, **scratch: Array) -> None:
        make_calls(self.forward_calls(out, x, **scratch))

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array, **scratch: Array) -> None:
        make_calls(self.backward_calls(grads, dy, out, x, **scratch))


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


def _fold(
    function: Any, nothing: float, out: Array, x: Array, places: list[Place], axis: int
) -> list[Call]:
    """out = the elements of each window along an axis, taken together by a function; nothing: what it makes of none."""
    seen = [(out[_at(axis, there)], x[_at(axis, here)]) for there, here in places]
    whole = [y.shape == out.shape for y, _ in seen[:2]]
    calls: list[Call]
    if whole == [True, True]:
        calls, rest = [(function, (seen[0][1], seen[1][1]), {"out": out})], seen[2:]
    elif whole[0]:
        calls, rest = [copy_call(out, seen[0][1])], seen[1:]
    else:
        calls, rest = [(out.fill, (nothing,), {})], seen
    return calls + [(function, (y, part), {"out": y}) for y, part in rest]


def _at(axis: int, part: slice) -> tuple[slice, ...]:
    return (*(slice(None),) * axis, part)


def _tiles(places: list[Place], length: int) -> bool:
    """Whether each of so many pixels is in just one window."""
    return sorted(i for _, here in places for i in range(length)[here]) == list(range(length))


def select_calls(x: Array, mask: Array, out: Array, work: Array) -> list[Call]:
    """out = x where the mask holds, else 0; work may be out.

    By bits: a product with the mask makes NaN of 0 times infinity, and a copy by mask takes 6 times
    as long as either.
    """
    kind = {4: np.int32, 8: np.int64}[x.itemsize]
    bits = work.view(kind)
    return [
        (np.negative, (mask.view(np.int8), bits), {"dtype": kind}),  # -1 has all bits
        (np.bitwise_and, (x.view(kind), bits, out.view(kind)), {}),
    ]


@dataclass(frozen=True)
class MaxPool(_Pool):
    """y[p, q, c] = max_ij x[p s + i - top, q s + j - left, c];  dx is dy at the first largest pixel of each window, row by row.

    x (n, h, w, c) -> y (n, p, q, c). Rows of pixels are taken together before columns: those are long runs of memory.
    """

    reads = (0, "out")

    def scratch(self, *shapes: Shape) -> Scratch:
        """rows: the largest of each column of a window; here: whether an element is the first largest one; free: whether none was yet;
        share: dy there."""
        x, m, (_, down, across, c) = shapes[0], self._images(shapes[0]), self.infer(*shapes)
        flags = ((m, down, across, c), np.bool_)
        return {
            "rows": ((m, down, x[2], c), None),
            "here": flags,
            "free": flags,
            "share": ((m, down, across, c), None),
        }

    def forward_calls(self, out: Array, x: Array, *, rows: Array, **scratch: Array) -> list[Call]:
        (down, across), calls = self._places(x.shape), list[Call]()
        for part in self._parts(x.shape):
            between = rows[: part.stop - part.start]
            calls += _fold(np.maximum, -np.inf, between, x[part], down, 1)
            calls += _fold(np.maximum, -np.inf, out[part], between, across, 2)
        return calls

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, *, share: Array, **scratch: Array
    ) -> list[Call]:
        dx, (down, across), calls = grads[0], self._places(x.shape), list[Call]()
        tiles = _tiles(down, x.shape[1]) and _tiles(across, x.shape[2])
        for part in self._parts(x.shape):
            into, d, product = dx[part], dy[part], share[: part.stop - part.start]
            if not tiles:
                calls.append((into.fill, (0,), {}))
            for there, here, mask, choice in self._choices(out[part], x[part], **scratch):
                calls += choice
                work = product[there]
                calls += select_calls(d[there], mask, into[here] if tiles else work, work)
                if not tiles:
                    calls.append((np.add, (into[here], work, into[here]), {}))
        return calls

    def _choices(
        self, y: Array, x: Array, *, here: Array, free: Array, **others: Array
    ) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...], Array, list[Call]]]:
        """For each element of the windows, row by row: the windows in which it is a pixel, these pixels, and a mask of those windows,
        which the calls make, that tells where it is the first largest."""
        here, free = here[: len(x)], free[: len(x)]
        down, across = self._places(x.shape)
        places = [((slice(None), p, q), (slice(None), i, j)) for p, i in down for q, j in across]
        for number, (there, pixels) in enumerate(places):
            mask, left = here[there], free[there]
            calls: list[Call] = [(np.equal, (x[pixels], y[there], mask), {})]
            if number:
                calls.append((np.logical_and, (mask, left, mask), {}))
            else:
                calls.append((free.fill, (True,), {}))
            if number < len(places) - 1:
                calls.append(
                    (np.not_equal, (left, mask, left), {})
                )  # of truth values: one of the two, and the mask is in what is left
            yield there, pixels, mask, calls

    def tangent(self, dout: Array, dinputs: Slots, out: Array, x: Array, **scratch: Array) -> None:
        """J dx = dx at the first largest pixels."""
        dout[...] = 0
        for part in self._parts(x.shape):
            for there, here, mask, choice in self._choices(out[part], x[part], **scratch):
                make_calls(choice)
                dout[part][there] += dinputs[0][part][here] * mask


NARROW = 8  # channels below which a vector would be left half empty


@jit
def _largest_loop(
    out: Array, x: Array, high: int, wide: int, down: int, across: int, top: int, left: int
) -> None:
    n, h, w, c = x.shape
    for k in range(n):
        for p in range(out.shape[1]):
            for q in range(out.shape[2]):
                y, i, j = out[k, p, q], p * down - top, q * across - left
                first = x[k, max(i, 0), max(j, 0)]
                for m in range(c):
                    y[m] = first[m]
                for a in range(max(i, 0), min(i + high, h)):
                    for b in range(max(j, 0), min(j + wide, w)):
                        other = x[k, a, b]
                        for m in range(c):
                            y[m] = (
                                y[m] if y[m] >= other[m] or y[m] != y[m] else other[m]
                            )  # NaN stays


@jit
def _largest_gradient_loop(
    dx: Array,
    dy: Array,
    out: Array,
    x: Array,
    given: Array,
    high: int,
    wide: int,
    down: int,
    across: int,
    top: int,
    left: int,
) -> None:
    n, h, w, c = x.shape
    zero = x.dtype.type(0)
    dx[:] = 0
    for k in range(n):
        for p in range(out.shape[1]):
            for q in range(out.shape[2]):
                y, i, j = out[k, p, q], p * down - top, q * across - left
                for m in range(c):
                    given[m] = dy[k, p, q, m]
                for a in range(max(i, 0), min(i + high, h)):
                    for b in range(max(j, 0), min(j + wide, w)):
                        here, there = x[k, a, b], dx[k, a, b]
                        for m in range(c):
                            there[m] += given[m] if here[m] == y[m] else zero
                            given[m] = zero if here[m] == y[m] else given[m]


@compiles(MaxPool)
class CompiledMaxPool(MaxPool):
    """One loop over the windows each way, without masks: for 16 to 64 channels in a quarter to a half of the time."""

    def _geometry(self) -> tuple[int, ...]:
        (top, _), (left, _) = self.padding
        return (*self.size, *self.stride, top, left)

    def forward_calls(self, out: Array, x: Array, **scratch: Array) -> list[Call]:
        if not contiguous(x) or x.shape[3] < NARROW:
            return super().forward_calls(out, x, **scratch)
        return [call(_largest_loop, out, x, *self._geometry())]

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, **scratch: Array
    ) -> list[Call]:
        if not contiguous(*grads, dy, x) or x.shape[3] < NARROW:
            return super().backward_calls(grads, dy, out, x, **scratch)
        return [
            call(
                _largest_gradient_loop,
                grads[0],
                dy,
                out,
                x,
                scratch["share"].reshape(-1)[: x.shape[3]],
                *self._geometry(),
            )
        ]


@dataclass(frozen=True)
class AveragePool(_Pool, Linear):
    """y[p, q, c] = mean_ij x[p s + i - top, q s + j - left, c] over the pixels, without the padding;  dx adds up dy / their number.

    x (n, h, w, c) -> y (n, p, q, c).
    """

    def scratch(self, *shapes: Shape) -> Scratch:
        """rows: the sum of each column of a window, and the gradient of that; share: dy / number."""
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
        found: Array = (1 / np.outer(*counts))[..., None].astype(x.dtype)
        return found

    def forward_calls(self, out: Array, x: Array, *, rows: Array, **scratch: Array) -> list[Call]:
        (down, across), weights, calls = self._places(x.shape), self._weights(x), list[Call]()
        for part in self._parts(x.shape):
            y, between = out[part], rows[: part.stop - part.start]
            calls += _fold(np.add, 0, between, x[part], down, 1)
            calls += _fold(np.add, 0, y, between, across, 2)
            calls.append((np.multiply, (y, weights, y), {}))
        return calls

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, *, rows: Array, share: Array
    ) -> list[Call]:
        dx, (down, across), weights, calls = (
            grads[0],
            self._places(x.shape),
            self._weights(x),
            list[Call](),
        )
        for part in self._parts(x.shape):
            few = slice(0, part.stop - part.start)
            calls.append((np.multiply, (dy[part], weights, share[few]), {}))
            calls += _spread(rows[few], share[few], across, 2)
            calls += _spread(dx[part], rows[few], down, 1)
        return calls


def _spread(dx: Array, dy: Array, places: list[Place], axis: int) -> list[Call]:
    """The gradient of a sum along an axis: each pixel's is that of all windows that it is in."""
    seen = [(dx[_at(axis, here)], dy[_at(axis, there)]) for there, here in places]
    if _tiles(places, dx.shape[axis]):
        return [copy_call(part, d) for part, d in seen]
    return [(dx.fill, (0,), {}), *((np.add, (part, d, part), {}) for part, d in seen)]


class _Global(Primitive):
    """(n, h, w, c) -> (n, c)."""

    def infer(self, *shapes: Shape) -> Shape:
        """(n, c)."""
        x = shapes[0]
        if len(x) != 4 or x[1] * x[2] == 0:
            raise ValueError(
                f"global pooling: want images (n, h, w, c) of at least one pixel, got {x}"
            )
        return (x[0], x[3])


class GlobalAveragePool(_Global, Linear):
    """y[c] = sum_pq x[p, q, c] / (h w);  dx[p, q, c] = dy[c] / (h w).  x (n, h, w, c) -> y (n, c)."""

    def forward(self, out: Array, x: Array) -> None:
        np.add.reduce(x, axis=(1, 2), out=out)
        out *= 1 / (x.shape[1] * x.shape[2])

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        np.multiply(dy[:, None, None], 1 / (x.shape[1] * x.shape[2]), out=grads[0])


class GlobalMaxPool(_Global):
    """y[c] = max_pq x[p, q, c];  dx is dy at the first largest pixel of each channel, row by row.  x (n, h, w, c) -> y (n, c)."""

    reads = ("places",)

    def scratch(self, *shapes: Shape) -> Scratch:
        """turned: x by channel; places: of the largest pixels in the flat x; first: that of each image and channel."""
        n, h, w, c = shapes[0]
        return {
            "turned": ((n, c, h * w), None),
            "places": ((n, c), np.intp),
            "first": ((n, c), np.intp),
        }

    def forward(self, out: Array, x: Array, *, turned: Array, places: Array, first: Array) -> None:
        (h, w, c), by_channel = x.shape[1:], x.transpose(0, 3, 1, 2)
        np.copyto(turned.reshape(by_channel.shape), by_channel)
        np.maximum.reduce(turned, axis=-1, out=out)
        np.argmax(turned, axis=-1, out=places)
        places *= c
        first.fill(1)
        np.cumsum(first, axis=1, out=first)
        first -= 1
        places += first
        first.fill(h * w * c)
        np.cumsum(first, axis=0, out=first)
        first -= h * w * c
        places += first

    def backward(
        self, grads: Slots, dy: Array, out: Array, x: Array, *, places: Array, **scratch: Array
    ) -> None:
        dx = grads[0]
        dx[...] = 0
        np.put(dx, places, dy)

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, x: Array, *, places: Array, **scratch: Array
    ) -> None:
        """J dx = dx at the first largest pixels."""
        np.take(dinputs[0], places, out=dout, mode="clip")
