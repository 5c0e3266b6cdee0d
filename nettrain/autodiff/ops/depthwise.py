"""Depthwise convolution: each channel has filters of its own."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.compiled import call, compiles
from nettrain.autodiff.ops.windows import Filtering, Pair, contiguous_copy, copy_call
from nettrain.autodiff.primitive import Array, Call, DefinedByCalls, Scratch, Shape, Slots
from nettrain.jit import jit

CACHE = 96 * 1024  # numbers that are worked on at a time
RUN = 256  # numbers that a loop works on at a time, for all elements of the kernel
ROWS = 16  # rows of windows that have a sum of their own


@dataclass(frozen=True)
class Depthwise(Filtering, DefinedByCalls):
    """y[p, q, c k + m] = b + sum_ij x[p s + i d - top, q s + j d - left, c] w[i, j, 0, c k + m].

    k filters per channel: a convolution with as many groups as channels. Its matrix products would
    be small, so each element of the kernel is multiplied with all windows at once, a few images at
    a time.  x (n, h, w, c), w (kh, kw, 1, c k), b (c k,) or none -> y (n, p, q, c k).

    Images are copied into a grid (n, sh, sw, h, w c k) with zeros around them, divided by row and
    column modulo the stride: there the pixels that one element of the kernel meets in a row of
    windows are one run of memory. Filters are repeated along such a run.
    """

    title = "depthwise convolution"

    def fits(self, c: int, w: Shape) -> bool:
        return w[2] == 1 and c > 0 and w[3] % c == 0

    def images(self, x: Shape, w: Shape) -> int:
        _, down, across, o = self.infer(x, w)
        return min(x[0], max(1, CACHE // (o * (x[1] * x[2] + 2 * down * across))))

    def scratch(self, *shapes: Shape) -> Scratch:
        """grid, and dx_grid: its gradient; filters, shift: w and b along a row of windows.

        products, d_filters, d_run, part, ones: for sums over windows; da: a contiguous copy of dy.
        """
        x, w = shapes[:2]
        (_, down, across, o), m = self.infer(*shapes), self.images(x, w)
        (sh, sw), (high, wide) = self.stride, self.windows(w).surrounded(*x[1:3])
        grid, run = (m, sh, sw, -(-high // sh), -(-wide // sw) * o), across * o
        sizes: dict[str, Shape] = {
            "grid": grid,
            "dx_grid": grid,
            "filters": (*w[:2], run),
            "shift": (run,),
            "products": (m, down, run),
            "d_filters": (*w[:2], run),
            "d_run": (run,),
            "part": (o,),
            "ones": (m * down,),
            "da": (m, down, across, o),
        }
        return {name: (size, None) for name, size in sizes.items()}

    def forward_calls(
        self, out: Array, x: Array, w: Array, b: Array | None = None, **scratch: Array
    ) -> list[Call]:
        calls, shift = self._begin(w, scratch), None
        if b is not None:
            shift = scratch["shift"]
            calls.append(copy_call(shift.reshape(-1, len(b)), b))
        for part in self.parts(x.shape, w.shape):
            more, grid = self._grid(x[part], w.shape, scratch)
            calls += [*more, *self.products(_by_run(out[part]), grid, w.shape, shift, scratch)]
        return calls

    def products(
        self, y: Array, grid: Array, w: Shape, shift: Array | None, scratch: dict[str, Array]
    ) -> list[Call]:
        """The calls that compute y (n, p, q c k), some of the images."""
        calls, work = list[Call](), scratch["products"][: len(y)]
        for (i, j), pixels in self._elements(grid, y, w):
            into = work if i or j else y
            calls.append((np.multiply, (pixels, scratch["filters"][i, j], into), {}))
            if into is work:
                calls.append((np.add, (y, work, y), {}))
        return calls if shift is None else [*calls, (np.add, (y, shift, y), {})]

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, w: Array, b: Array | None = None,
        **scratch: Array,
    ) -> list[Call]:  # fmt: skip
        (dx, dw, db), calls = (*grads, None)[:3], self._begin(w, scratch)
        calls.append((scratch["ones"].fill, (1,), {}))
        calls += [(total.fill, (0,), {}) for total in (dw, db) if total is not None]
        for part in self.parts(x.shape, w.shape):
            more, da = contiguous_copy(dy[part], scratch["da"])
            calls += more
            if dw is not None or db is not None:
                more, grid = self._grid(x[part], w.shape, scratch)
                calls += [*more, *self.sums(dw, db, _by_run(da), grid, w.shape, scratch)]
            if dx is not None:
                grid = scratch["dx_grid"][: len(da)]
                calls += self.spread(grid, _by_run(da), w.shape, scratch)
                calls += [
                    _sum_call(target, pixels)
                    for pixels, target in self._phases(grid, dx[part], w.shape)
                ]
        return calls

    def sums(
        self, dw: Array | None, db: Array | None, da: Array, grid: Array, w: Shape,
        scratch: dict[str, Array],
    ) -> list[Call]:  # fmt: skip
        """The calls that add some of the images to dw and db; da (n, p, q c k)."""
        n, p, run = da.shape
        ones, work, total = scratch["ones"][: n * p], scratch["products"][:n], scratch["d_run"]
        by_channel, part = total.reshape(-1, w[3]), scratch["part"]
        add_up: Call = (np.add.reduce, (by_channel,), {"axis": 0, "out": part})
        calls = list[Call]()
        if db is not None:
            calls.append((np.matmul, (ones, da.reshape(-1, run), total), {}))
            calls += [add_up, (np.add, (db, part, db), {})]
        if dw is not None:
            for (i, j), pixels in self._elements(grid, da, w):
                calls.append((np.multiply, (pixels, da, work), {}))
                calls.append((np.matmul, (ones, work.reshape(-1, run), total), {}))
                calls += [add_up, (np.add, (dw[i, j, 0], part, dw[i, j, 0]), {})]
        return calls

    def spread(self, grid: Array, da: Array, w: Shape, scratch: dict[str, Array]) -> list[Call]:
        """The calls that fill the grid with the gradient of its pixels."""
        calls: list[Call] = [(grid.fill, (0,), {})]
        work = scratch["products"][: len(da)]
        for element, pixels in self._elements(grid, da, w):
            calls.append((np.multiply, (da, scratch["filters"][element], work), {}))
            calls.append((np.add, (pixels, work, pixels), {}))
        return calls

    def _begin(self, w: Array, scratch: dict[str, Array]) -> list[Call]:
        """The calls before the first part; the zeros of the grid stay from part to part."""
        filters = scratch["filters"].reshape(*w.shape[:2], -1, w.shape[3])
        return [(scratch["grid"].fill, (0,), {}), copy_call(filters, w)]

    def _grid(self, x: Array, w: Shape, scratch: dict[str, Array]) -> tuple[list[Call], Array]:
        """The grid of some of the images, and the calls that fill it."""
        grid = scratch["grid"][: len(x)]
        pairs = self._phases(grid, x, w)
        return [copy_call(pixels, source[..., None]) for pixels, source in pairs], grid

    def _phases(self, grid: Array, x: Array, w: Shape) -> Iterator[tuple[Array, Array]]:
        """The pixels (n, h, w, c, k) of each phase of the grid, and those (n, h, w, c) of x."""
        (sh, sw), ((top, _), (left, _)), c = self.stride, self.padding, x.shape[3]
        for a, b in np.ndindex(sh, sw):
            i, j = (a - top) % sh, (b - left) % sw
            source, first, second = x[:, i::sh, j::sw], (i + top) // sh, (j + left) // sw
            _, down, across, _ = source.shape
            pixels = grid[:, a, b].reshape(*grid[:, a, b].shape[:2], -1, c, w[3] // c)
            yield pixels[:, first : first + down, second : second + across], source

    def _elements(self, grid: Array, y: Array, w: Shape) -> Iterator[tuple[Pair, Array]]:
        """Each element of the kernel, and the pixels (n, p, q c k) that it meets."""
        (_, p, run), (sh, sw), (dh, dw) = y.shape, self.stride, self.dilation
        for i, j in np.ndindex(*w[:2]):
            row, start = i * dh // sh, j * dw // sw * w[3]
            pixels = grid[:, i * dh % sh, j * dw % sw, row : row + p, start : start + run]
            yield (i, j), pixels


def _by_run(y: Array) -> Array:
    """(n, p, q, o) as (n, p, q o)."""
    return y.reshape(*y.shape[:2], y.shape[2] * y.shape[3])


def _sum_call(out: Array, x: Array) -> Call:
    """out = the sum of x over its last axis."""
    if x.shape[-1] == 1:
        return copy_call(out, x[..., 0])
    return np.add.reduce, (x,), {"axis": -1, "out": out}


@jit
def _products_loop(
    y: Array, grid: Array, places: Array, filters: Array, shift: Array, length: int
) -> None:
    """grid (n, h, w c k), its phases below each other; places: of the first windows' elements."""
    n, p, run = y.shape
    kh, kw = filters.shape[:2]
    width = grid.shape[2]
    for a in range(n):
        pixels = grid[a].reshape(-1)
        for k in range(p):
            for start in range(0, run, length):
                size, first = min(length, run - start), k * width + start
                total = y[a, k, start : start + size]
                total[:] = 0
                for i in range(kh):
                    for j in range(kw):
                        x, w = pixels[first + places[i, j] :], filters[i, j]
                        for m in range(size):
                            total[m] += x[m] * w[m]
                for m in range(size):
                    total[m] += shift[m]


@jit
def _sums_loop(
    dw: Array, db: Array, da: Array, grid: Array, places: Array, d_filters: Array, d_run: Array,
    length: int,
) -> None:  # fmt: skip
    """Adds to dw and db; a few rows have sums of their own: of many float32 loses digits."""
    n, p, run = da.shape
    kh, kw, _, _ = dw.shape
    width = grid.shape[2]
    d_run[:] = 0
    d_filters[:] = 0
    for a in range(n):
        pixels = grid[a].reshape(-1)
        for k in range(p):
            for start in range(0, run, length):
                size, first = min(length, run - start), k * width + start
                d = da[a, k, start : start + size]
                for m in range(size):
                    d_run[m] += d[m]
                for i in range(kh):
                    for j in range(kw):
                        x, total = pixels[first + places[i, j] :], d_filters[i, j]
                        for m in range(size):
                            total[m] += x[m] * d[m]
            if k % ROWS == ROWS - 1 or k == p - 1:
                _fold_loop(db, d_run, length)
                for i in range(kh):
                    for j in range(kw):
                        _fold_loop(dw[i, j, 0], d_filters[i, j], length)


@jit
def _fold_loop(total: Array, run: Array, length: int) -> None:
    """Adds the sums of a run to those of its channels, and begins new ones."""
    o = total.size
    for start in range(o, min(length, run.size), o):
        for m in range(o):
            run[m] += run[start + m]
    for m in range(o):
        total[m] += run[m]
    run[:] = 0


@jit
def _spread_loop(grid: Array, da: Array, places: Array, filters: Array, length: int) -> None:
    n, p, run = da.shape
    kh, kw = filters.shape[:2]
    width = grid.shape[2]
    grid[:] = 0
    for a in range(n):
        pixels = grid[a].reshape(-1)
        for k in range(p):
            for start in range(0, run, length):
                size, first = min(length, run - start), k * width + start
                d = da[a, k, start : start + size]
                for i in range(kh):
                    for j in range(kw):
                        dx, w = pixels[first + places[i, j] :], filters[i, j]
                        for m in range(size):
                            dx[m] += d[m] * w[m]


@compiles(Depthwise)
class CompiledDepthwise(Depthwise):
    """All elements of the kernel for a few windows at a time, which stay in the first cache."""

    def products(
        self, y: Array, grid: Array, w: Shape, shift: Array | None, scratch: dict[str, Array]
    ) -> list[Call]:
        calls = list[Call]()
        if shift is None:
            shift = scratch["shift"]
            calls.append((shift.fill, (0,), {}))
        places, filters = self._places(grid, w), scratch["filters"]
        return [*calls, call(_products_loop, y, _rows(grid), places, filters, shift, _length(w))]

    def sums(
        self, dw: Array | None, db: Array | None, da: Array, grid: Array, w: Shape,
        scratch: dict[str, Array],
    ) -> list[Call]:  # fmt: skip
        dw = np.empty(w, da.dtype) if dw is None else dw
        db = np.empty(w[3], da.dtype) if db is None else db
        places, work = self._places(grid, w), (scratch["d_filters"], scratch["d_run"])
        return [call(_sums_loop, dw, db, da, _rows(grid), places, *work, _length(w))]

    def spread(self, grid: Array, da: Array, w: Shape, scratch: dict[str, Array]) -> list[Call]:
        places, filters = self._places(grid, w), scratch["filters"]
        return [call(_spread_loop, _rows(grid), da, places, filters, _length(w))]

    def _places(self, grid: Array, w: Shape) -> Array:
        """(kh, kw): where in an image of the grid the first window has each element."""
        image = np.arange(grid[0].size).reshape(1, *grid.shape[1:])
        y = image[:, 0, 0, :1, : w[3]]
        places = [pixels[0, 0, 0] for _, pixels in self._elements(image, y, w)]
        return np.array(places).reshape(w[:2])


def _rows(grid: Array) -> Array:
    return grid.reshape(len(grid), -1, grid.shape[4])


def _length(w: Shape) -> int:
    return w[3] * max(1, RUN // w[3])
