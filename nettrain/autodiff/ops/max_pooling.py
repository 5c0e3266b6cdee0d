"""Max pooling of images, channels last."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nettrain.autodiff.compiled import call, compiles
from nettrain.autodiff.ops.pooling import Pool, fold, one_row, tiles
from nettrain.autodiff.ops.windows import contiguous_copy, copy_call
from nettrain.autodiff.primitive import Array, Call, Scratch, Shape, Slots, make_calls
from nettrain.jit import jit


@dataclass(frozen=True)
class MaxPool(Pool):
    """y[p, q, c] = max_ij x[p s + i - top, q s + j - left, c];  dx: dy at each first maximum.

    The first: row by row. Rows of pixels are reduced before columns, as they are long runs of
    memory.
    """

    reads: ClassVar[tuple[int | str, ...]] = (0, "out")

    def scratch(self, *shapes: Shape) -> Scratch:
        """rows: the maximum of each column of a window; share: dy of a first maximum.

        here: whether an element is the first maximum; free: whether none was so far. Of compiled
        loops: places: of the first maxima in their image; row_places: of those in `rows`.
        """
        x, m, (_, down, across, c) = shapes[0], self._images(shapes[0]), self.infer(*shapes)
        flags = ((m, down, across, c), np.bool_)
        return {
            "rows": ((m, down, x[2], c), None),
            "here": flags,
            "free": flags,
            "share": ((m, down, across, c), None),
            "places": ((x[0], down, across, c), np.int32),
            "row_places": ((x[2] * c,), np.int32),
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
    out: Array, places: Array, x: Array, rows: Array, row_places: Array,
    high: int, wide: int, down: int, across: int, top: int, left: int,
) -> None:  # fmt: skip
    """rows (w c,): the largest of each column of a row of windows; row_places: where it is."""
    n, h, w, c = x.shape
    run = w * c
    for k in range(n):
        image = x[k].reshape(h, run)
        for p in range(out.shape[1]):
            first = max(p * down - top, 0)
            for t in range(run):
                rows[t], row_places[t] = image[first, t], first * run + t
            for i in range(first + 1, min(p * down - top + high, h)):
                line = image[i]
                for t in range(run):
                    stays = (rows[t] >= line[t]) | (rows[t] != rows[t])  # NaN stays
                    row_places[t] = row_places[t] if stays else i * run + t
                    rows[t] = rows[t] if stays else line[t]
            for q in range(out.shape[2]):
                y, at, first = out[k, p, q], places[k, p, q], max(q * across - left, 0)
                for m in range(c):
                    y[m], at[m] = rows[first * c + m], row_places[first * c + m]
                for j in range(first + 1, min(q * across - left + wide, w)):
                    other, there = rows[j * c :], row_places[j * c :]
                    for m in range(c):
                        earlier = (y[m] == other[m]) & (at[m] < there[m])  # by rows
                        stays = (y[m] > other[m]) | earlier | (y[m] != y[m])
                        at[m] = at[m] if stays else there[m]
                        y[m] = y[m] if stays else other[m]


@jit
def _largest_gradient_loop(dx: Array, dy: Array, places: Array) -> None:
    for k in range(dy.shape[0]):
        image, d, at = dx[k].reshape(-1), dy[k].reshape(-1), places[k].reshape(-1)
        image[:] = 0
        for m in range(d.size):
            image[at[m]] += d[m]


@compiles(MaxPool)
class CompiledMaxPool(MaxPool):
    """One loop that keeps where each first maximum is, and one that adds dy there.

    Of 64 images of 32 x 32 x 32 with windows of 3 x 3 and a stride of 2, the gradient takes a
    twentieth of the time.
    """

    reads = ("places",)

    def forward_calls(self, out: Array, x: Array, *, rows: Array, **scratch: Array) -> list[Call]:
        (top, _), (left, _) = self.padding
        calls, x = contiguous_copy(x, np.empty_like(x, order="C"))
        places, work = scratch["places"], (one_row(rows), scratch["row_places"])
        sizes = (*self.size, *self.stride, top, left)
        return [*calls, call(_largest_loop, out, places, x, *work, *sizes)]

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, **scratch: Array
    ) -> list[Call]:
        dx = grads[0]
        calls, dy = contiguous_copy(dy, np.empty_like(dy, order="C"))
        target = dx if dx.flags.c_contiguous else np.empty_like(dx, order="C")
        calls.append(call(_largest_gradient_loop, target, dy, scratch["places"]))
        return calls if target is dx else [*calls, copy_call(dx, target)]
