"""Rows of tables, looked up by codes."""

from itertools import pairwise

import numpy as np

from nettrain.autodiff.compiled import call, compiles, contiguous
from nettrain.autodiff.primitive import Array, Call, Primitive, Scratch, Shape, Slots
from nettrain.jit import jit


class Embedding(Primitive):
    """y_n = [w_1[x_n1], ..., w_c[x_nc]];  dw_j[v] = sum of dy_n over the rows n with x_nj = v.

    The sum is taken in the order of the rows. Codes x (n, c), tables w_j (v_j, s_j) ->
    y (n, s_1 + ... + s_c). The codes are whole numbers from 0 to v_j - 1, as floats; a code beyond
    counts as the nearest, and the derivative with respect to x is 0.
    """

    reads = ("codes",)

    def infer(self, *shapes: Shape) -> Shape:
        """(n, s_1 + ... + s_c)."""
        x, *tables = shapes
        if len(x) != 2 or x[1] != len(tables) or any(len(w) != 2 or not w[0] for w in tables):
            listed = " and ".join(map(str, tables))
            raise ValueError(f"embedding: shapes {x} and {listed} are not (n, c) and c of (v, s)")
        return (x[0], sum(s for _, s in tables))

    def scratch(self, *shapes: Shape) -> Scratch:
        """codes: x as integers."""
        return {"codes": (shapes[0], np.intp)}

    def forward(self, out: Array, x: Array, *tables: Array, codes: Array) -> None:
        last = np.array([len(w) - 1 for w in tables])
        np.clip(np.rint(x), 0, last, out=codes, casting="unsafe")
        for j, (w, columns) in enumerate(zip(tables, _columns(tables), strict=True)):
            out[:, columns] = w[codes[:, j]]

    def backward(
        self, grads: Slots, dy: Array, out: Array, x: Array, *tables: Array, codes: Array
    ) -> None:
        dx, *slots = grads
        if dx is not None:
            dx[...] = 0
        for j, (dw, columns) in enumerate(zip(slots, _columns(tables), strict=True)):
            if dw is not None:
                # flat: over rows `add.at` takes 2 to 10 times as long
                size = dw.shape[1]
                places = codes[:, j, np.newaxis] * size + np.arange(size)
                flat = dw.reshape(-1)  # a copy where dw is not contiguous
                flat[...] = 0
                np.add.at(flat, places.reshape(-1), dy[:, columns].reshape(-1))
                dw[...] = flat.reshape(dw.shape)  # no copy where it is the same memory

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, x: Array, *tables: Array, codes: Array
    ) -> None:
        """The same rows of the tables' tangents."""
        for j, (dw, columns) in enumerate(zip(dinputs[1:], _columns(tables), strict=True)):
            dout[:, columns] = 0 if dw is None else dw[codes[:, j]]


def _columns(tables: tuple[Array, ...]) -> list[slice]:
    """The columns of the output that each table fills."""
    ends = np.cumsum([0, *(w.shape[1] for w in tables)]).tolist()
    return [slice(start, end) for start, end in pairwise(ends)]


@jit
def _look_up_loop(out: Array, codes: Array, x: Array, w: Array, j: int, start: int) -> None:
    last = w.shape[0] - 1
    for n in range(x.shape[0]):
        code = min(max(int(np.rint(x[n, j])), 0), last)
        codes[n, j] = code
        for k in range(w.shape[1]):
            out[n, start + k] = w[code, k]


@jit
def _add_rows_loop(dw: Array, dy: Array, codes: Array, j: int, start: int) -> None:
    zero = dw.dtype.type(0)
    for v in range(dw.shape[0]):
        for k in range(dw.shape[1]):
            dw[v, k] = zero
    for n in range(codes.shape[0]):
        code = codes[n, j]
        for k in range(dw.shape[1]):
            dw[code, k] += dy[n, start + k]


@compiles(Embedding)
class CompiledEmbedding(Embedding):
    """A loop over the rows for each table; bitwise identical (256 rows, 45 values of 8 numbers:
    1 us in place of 8)."""

    def forward_calls(self, out: Array, x: Array, *tables: Array, codes: Array) -> list[Call]:
        if not contiguous(*tables):
            return super().forward_calls(out, x, *tables, codes=codes)
        starts = [columns.start for columns in _columns(tables)]
        return [call(_look_up_loop, out, codes, x, w, j, starts[j]) for j, w in enumerate(tables)]

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, *tables: Array, codes: Array
    ) -> list[Call]:
        dx, *slots = grads
        if dx is not None or not contiguous(dy, *slots):
            return super().backward_calls(grads, dy, out, x, *tables, codes=codes)
        starts = [columns.start for columns in _columns(tables)]
        return [
            call(_add_rows_loop, dw, dy, codes, j, starts[j])
            for j, dw in enumerate(slots)
            if dw is not None
        ]
