"""Max pooling of images, channels last."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.compiled import call, compiles, contiguous
from nettrain.autodiff.ops.pooling import Pool, fold, tiles
from nettrain.autodiff.primitive import Array, Call, Scratch, Shape, Slots, make_calls
from nettrain.jit import jit

NARROW = 8  # channels below which a vector would be left half empty


@dataclass(frozen=True)
class MaxPool(Pool):
    """y[p, q, c] = max_ij x[p s + i - top, q s + j - left, c];  dx: dy at each first maximum.

    The first: row by row. Rows of pixels are reduced before columns, as they are long runs of
    memory.
    """

    reads = (0, "out")

    def scratch(self, *shapes: Shape) -> Scratch:
        """rows: the maximum of each column of a window; share: dy of a first maximum.

        here: whether an element is the first maximum; free: whether none was so far.
        """
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
            calls += fold(np.maximum, -np.inf, between, x[part], down, 1)
            calls += fold(np.maximum, -np.inf, out[part], between, across, 2)
        return calls

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, *, share: Array, **scratch: Array
    ) -> list[Call]:
        dx, (down, across), calls = grads[0], self._places(x.shape), list[Call]()
        tiled = tiles(down, x.shape[1]) and tiles(across, x.shape[2])
        for part in self._parts(x.shape):
            into, d, product = dx[part], dy[part], share[: part.stop - part.start]
            if not tiled:
                calls.append((into.fill, (0,), {}))
            for there, here, mask, choice in self._choices(out[part], x[part], **scratch):
                calls += choice
                work = product[there]
                calls += select_calls(d[there], mask, into[here] if tiled else work, work)
                if not tiled:
                    calls.append((np.add, (into[here], work, into[here]), {}))
        return calls

    def _choices(
        self, y: Array, x: Array, *, here: Array, free: Array, **others: Array
    ) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...], Array, list[Call]]]:
        """For each element of the windows, row by row, where it is the first maximum.

        Gives the windows that have it, its pixels, a mask of these windows, and the calls that
        compute the mask.
        """
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
                calls.append((np.not_equal, (left, mask, left), {}))  # exclusive or
            yield there, pixels, mask, calls

    def tangent(self, dout: Array, dinputs: Slots, out: Array, x: Array, **scratch: Array) -> None:
        """J dx = dx at each first maximum."""
        dout[...] = 0
        for part in self._parts(x.shape):
            for there, here, mask, choice in self._choices(out[part], x[part], **scratch):
                make_calls(choice)
                dout[part][there] += dinputs[0][part][here] * mask


def select_calls(x: Array, mask: Array, out: Array, work: Array) -> list[Call]:
    """out = x where the mask holds, else 0; work may be out.

    By bits: a product with the mask would make NaN of 0 times infinity, and a copy by mask takes 6
    times as long as either.
    """
    kind = {4: np.int32, 8: np.int64}[x.itemsize]
    bits = work.view(kind)
    return [
        (np.negative, (mask.view(np.int8), bits), {"dtype": kind}),  # -1 has all bits
        (np.bitwise_and, (x.view(kind), bits, out.view(kind)), {}),
    ]


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
                            # NaN stays
                            y[m] = y[m] if y[m] >= other[m] or y[m] != y[m] else other[m]


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
    """One loop over the windows forward and one backward, without masks.

    With 16 to 64 channels it takes a quarter to a half of the time.
    """

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
