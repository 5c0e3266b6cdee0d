"""The matrix product."""

import numpy as np

from nettrain.autodiff.primitive import Array, Call, Multilinear, Scratch, Shape, Slots, make_calls


def product_call(a: Array, b: Array, out: Array) -> Call:
    """out = a b.

    `dot` is bitwise identical to np.matmul and up to a third faster on small matrices, but writes
    only contiguous ones.
    """
    if out.ndim == 2 and out.flags.c_contiguous:
        return a.dot, (b, out), {}  # np.dot itself looks for other kinds of arrays first: 0.13 us
    return np.matmul, (a, b, out), {}


WIDE = 2_500_000  # elements of a matrix from which dividing its products among threads pays: 10 MB
TILE = 512  # columns of a tile: products of so many take 1 % longer than one of all


def columns(i: int, o: int) -> list[slice] | None:
    """Tiles of the columns of a wide matrix (i, o), of nearly equal multiples of 16.

    None: it is not wide.
    """
    count = -(-o // TILE)
    if i * o < WIDE or count == 1:
        return None
    width = -(-o // (16 * count)) * 16
    return [slice(start, min(start + width, o)) for start in range(0, o, width)]


BAND = 131_072  # elements of a band, which with its gradient and its optimizer's state fits a cache
HEIGHT = 16  # rows of a band are a multiple


def bands(i: int, o: int) -> list[slice]:
    """Bands of the rows of a matrix (i, o) that is not wide, equal but for the last one.

    The gradient of the matrix is computed band by band, wherever: so its bits are the same.
    """
    count = -(-i * o // BAND)
    if count <= 1 or columns(i, o) is not None:
        return [slice(0, i)]
    height = -(-i // (HEIGHT * count)) * HEIGHT
    return [slice(start, min(start + height, i)) for start in range(0, i, height)]


def transposed_is_faster(n: int, i: int, o: int) -> bool:
    """Whether da = dy b^T is faster as (b dy^T)^T; dy (n, o), b (i, o).

    BLAS packs its operands, and packing the large b transposed costs most. Measured with OpenBLAS:
    16 rows and 256 x 256: 1.8 times as fast, 32 and 512 x 512: 1.4, 64: 1.2, 128: 1.05; a small b
    is slower.
    """
    return i * o >= max(128 * 128, 16 * n * n)


def make_tiles(phases: list[list[list[Call]]]) -> None:
    """Make the calls of tiles, one after the other."""
    for phase in phases:
        for calls in phase:
            make_calls(calls)


class Matmul(Multilinear):
    """y = a b;  da = dy b^T, db = a^T dy.  a (..., n, i), b (..., i, o) -> y (..., n, o).

    The leading axes are equal.
    """

    reads = (0, 1)

    def infer(self, *shapes: Shape) -> Shape:
        """(..., n, o)."""
        a, b = shapes
        if a[-1] != b[-2] or a[:-2] != b[:-2]:
            raise ValueError(
                f"matmul: shapes {a} and {b} do not fit ({a[-1]} columns against {b[-2]} rows)"
            )
        return (*a[:-1], b[-1])

    def scratch(self, *shapes: Shape) -> Scratch:
        """da_t (i, n): da^T, where da is computed so."""
        a, b = shapes
        if len(a) != 2 or columns(*b) is not None or not transposed_is_faster(a[0], *b):
            return {}
        return {"da_t": ((a[1], a[0]), None)}

    def forward(self, out: Array, a: Array, b: Array, **scratch: Array) -> None:
        tiles = self.forward_tiles(out, a, b)
        make_tiles([[self.forward_calls(out, a, b)]] if tiles is None else tiles)

    def backward(
        self, grads: Slots, dy: Array, out: Array, a: Array, b: Array, **scratch: Array
    ) -> None:
        tiles = self.backward_tiles(grads, dy, out, a, b)
        make_tiles(
            [[self.backward_calls(grads, dy, out, a, b, **scratch)]] if tiles is None else tiles
        )

    def forward_calls(self, out: Array, a: Array, b: Array, **scratch: Array) -> list[Call]:
        """The product, undivided."""
        return [product_call(a, b, out)]

    def backward_calls(
        self,
        grads: Slots,
        dy: Array,
        out: Array,
        a: Array,
        b: Array,
        *,
        da_t: Array | None = None,
    ) -> list[Call]:
        """da, then db."""
        da, db = grads
        calls: list[Call] = []
        if da is not None and da_t is not None:
            calls = [product_call(b, dy.T, da_t), (np.copyto, (da, da_t.T), {})]
        elif da is not None:
            calls = [product_call(dy, b.swapaxes(-1, -2), da)]
        if db is not None and db.ndim == 2:
            calls += [product_call(a.T[band], dy, db[band]) for band in bands(*db.shape)]
        elif db is not None:
            calls.append(product_call(a.swapaxes(-1, -2), dy, db))
        return calls

    def factors(
        self, dy: Array, a: Array, b: Array, **scratch: Array
    ) -> tuple[Array, Array] | None:
        """a^T and dy, unless b is divided in tiles."""
        return None if b.ndim != 2 or columns(*b.shape) is not None else (a.T, dy)

    def forward_tiles(
        self, out: Array, a: Array, b: Array, **scratch: Array
    ) -> list[list[list[Call]]] | None:
        """One queue per tile of the columns of b, and so of y."""
        tiles = columns(*b.shape) if b.ndim == 2 else None
        return None if tiles is None else [[[product_call(a, b[:, t], out[:, t])] for t in tiles]]

    def backward_tiles(
        self, grads: Slots, dy: Array, out: Array, a: Array, b: Array, **scratch: Array
    ) -> list[list[list[Call]]] | None:
        """One queue per tile of the columns of da or db."""
        if b.ndim != 2 or columns(*b.shape) is None:
            return None
        (i, o), (da, db) = b.shape, grads
        queues = []
        if da is not None:
            queues = [[product_call(dy, b[t].T, da[:, t])] for t in columns(o, i) or [slice(None)]]
        if db is not None:
            queues += [
                [product_call(a.T, dy[:, t], db[:, t])] for t in columns(i, o) or [slice(None)]
            ]
        return [queues]
