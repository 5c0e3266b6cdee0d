"""The sums of Winograd's convolution over the pixels of tiles, as NumPy calls and as loops.

Arrays of tiles are (4, 4, n, p, q, c): the rows and columns of a tile, n images of p x q tiles. The
loops take them as (4, 4, n, p, q c).
"""

import numpy as np

from nettrain.autodiff.ops.windows import copy_call
from nettrain.autodiff.primitive import Array, Call
from nettrain.jit import jit


def differences(v: Array, seen: Array, rows: Array) -> list[Call]:
    """v = B^T d B, d the 4 x 4 pixels of each tile; rows: work for B^T d."""
    along_columns = [v[:, j] for j in range(4)]
    return _differences(list(rows), seen, 1) + _differences(along_columns, rows, 3)


def _differences(out: list[Array], x: Array, axis: int) -> list[Call]:
    """B^T along an axis: d0 - d2, d1 + d2, d2 - d1, d1 - d3 of the four pixels of each tile."""
    size = x.shape[axis]
    d0, d1, d2, d3 = (_along(x, axis, k, size - 2 + k) for k in range(4))
    return [
        (np.subtract, (d0, d2, out[0]), {}),
        (np.add, (d1, d2, out[1]), {}),
        (np.subtract, (d2, d1, out[2]), {}),
        (np.subtract, (d1, d3, out[3]), {}),
    ]


@jit
def differences_loop(v: Array, x: Array, zeros: Array, room: Array, top: int, left: int) -> None:
    """x (n, h, w, c), its tiles beginning `top` and `left` of it, where pixels are 0.

    zeros: a row of pixels; room (4, 2, q + 1, c): B^T d of even and of odd columns.
    """
    n, p = v.shape[2:4]
    _, h, w, c = x.shape
    columns = room.shape[2]
    flat = room.reshape(4, 2, columns * c)
    for a in range(n):
        for i in range(p):
            first = 2 * i - top
            d0 = x[a, first] if 0 <= first < h else zeros
            d1 = x[a, first + 1] if 0 <= first + 1 < h else zeros
            d2 = x[a, first + 2] if 0 <= first + 2 < h else zeros
            d3 = x[a, first + 3] if 0 <= first + 3 < h else zeros
            for place in range(2 * columns):
                column, odd, k = place // 2, place % 2, place - left
                if 0 <= k < w:
                    for j in range(c):
                        room[0, odd, column, j] = d0[k, j] - d2[k, j]
                    for j in range(c):
                        room[1, odd, column, j] = d1[k, j] + d2[k, j]
                    for j in range(c):
                        room[2, odd, column, j] = d2[k, j] - d1[k, j]
                    for j in range(c):
                        room[3, odd, column, j] = d1[k, j] - d3[k, j]
                else:
                    room[:, odd, column] = 0
            for r in range(4):
                even, odds = flat[r, 0], flat[r, 1]
                _subtract_loop(v[r, 0, a, i], even, even[c:])
                _add_loop(v[r, 1, a, i], odds, even[c:])
                _subtract_loop(v[r, 2, a, i], even[c:], odds)
                _subtract_loop(v[r, 3, a, i], odds, odds[c:])


def outputs(y: Array, m: Array, rows: Array) -> list[Call]:
    """y = A^T m A; rows (2, 4, n, p, q, o): work for A^T m."""
    n, p, q, o = m.shape[2:]
    by_pixel = y.reshape(n, p, 2, q, 2, o).transpose(4, 2, 0, 1, 3, 5)
    calls = _sums(rows[0], rows[1], *m)
    return calls + _sums(by_pixel[0], by_pixel[1], *rows.swapaxes(0, 1))


def _sums(first: Array, second: Array, m0: Array, m1: Array, m2: Array, m3: Array) -> list[Call]:
    """A^T along an axis: m0 + m1 + m2, m1 - m2 - m3."""
    return [
        (np.add, (m0, m1, first), {}),
        (np.add, (first, m2, first), {}),
        (np.subtract, (m1, m2, second), {}),
        (np.subtract, (second, m3, second), {}),
    ]


@jit
def outputs_loop(y: Array, m: Array, room: Array) -> None:
    """y (n, 2 p, 2 q, o); room (2, 4, q, o): A^T m."""
    n, p = m.shape[2:4]
    q, o = room.shape[2:]
    flat = room.reshape(2, 4, q * o)
    for a in range(n):
        for i in range(p):
            for k in range(4):
                _first_loop(flat[0, k], m[0, k, a, i], m[1, k, a, i], m[2, k, a, i])
                _second_loop(flat[1, k], m[1, k, a, i], m[2, k, a, i], m[3, k, a, i])
            for r in range(2):
                for k in range(q):
                    for j in range(o):
                        y[a, 2 * i + r, 2 * k, j] = (
                            room[r, 0, k, j] + room[r, 1, k, j] + room[r, 2, k, j]
                        )
                    for j in range(o):
                        y[a, 2 * i + r, 2 * k + 1, j] = (
                            room[r, 1, k, j] - room[r, 2, k, j] - room[r, 3, k, j]
                        )


def spread(z: Array, d: Array, rows: Array) -> list[Call]:
    """z = A d A^T, d the 2 x 2 gradients of each tile; rows (4, n, p, 2 q, o): work for A d."""
    calls = _spread(list(rows), d[:, ::2], d[:, 1::2])
    return calls + _spread([z[:, j] for j in range(4)], rows[:, :, :, ::2], rows[:, :, :, 1::2])


def _spread(out: list[Array], d0: Array, d1: Array) -> list[Call]:
    """A along an axis: d0, d0 + d1, d0 - d1, -d1."""
    return [
        copy_call(out[0], d0),
        (np.add, (d0, d1, out[1]), {}),
        (np.subtract, (d0, d1, out[2]), {}),
        (np.negative, (d1, out[3]), {}),
    ]


@jit
def spread_loop(z: Array, d: Array, room: Array) -> None:
    """d (n, 2 p, 2 q, o); room (8, q, o): d by pixel of the tiles, and A d of both columns."""
    n, p = z.shape[2:4]
    q, o = room.shape[1:]
    flat = room.reshape(8, q * o)
    for a in range(n):
        for i in range(p):
            for r in range(2):
                for k in range(2 * q):
                    column, odd = k // 2, k % 2
                    for j in range(o):
                        room[2 * r + odd, column, j] = d[a, 2 * i + r, k, j]
            _tiles_loop(z, flat, a, i)


@jit
def _tiles_loop(z: Array, flat: Array, a: int, i: int) -> None:
    """A row of tiles of z, from the gradients of their four pixels, the first four of flat."""
    for r in range(4):
        for s in range(2):
            if r == 0:
                _copy_loop(flat[4 + s], flat[s])
            elif r == 1:
                _add_loop(flat[4 + s], flat[s], flat[2 + s])
            elif r == 2:
                _subtract_loop(flat[4 + s], flat[s], flat[2 + s])
            else:
                _negative_loop(flat[4 + s], flat[2 + s])
        _copy_loop(z[r, 0, a, i], flat[4])
        _add_loop(z[r, 1, a, i], flat[4], flat[5])
        _subtract_loop(z[r, 2, a, i], flat[4], flat[5])
        _negative_loop(z[r, 3, a, i], flat[5])


def overlapping(dx: Array, v: Array, rows: Array, work: tuple[Array, Array]) -> list[Call]:
    """dx = B v B^T, added where tiles overlap; rows: work for v B^T."""
    calls = _overlapping(rows, [v[:, j] for j in range(4)], 3, work[0])
    return calls + _overlapping(dx, list(rows), 1, work[1])


def _overlapping(out: Array, v: list[Array], axis: int, work: Array) -> list[Call]:
    """B along an axis: v0, v1 - v2 + v3, v1 + v2 - v0, -v3, added where tiles overlap."""
    even, odd = _along(out, axis, 0), _along(out, axis, 1)
    count = v[0].shape[axis]
    whole: tuple[slice, ...] = (slice(None),) * axis
    first, after, last = (
        (*whole, slice(count)),
        (*whole, slice(1, None)),
        (*whole, slice(count, None)),
    )
    return [
        copy_call(even[first], v[0]),
        (even[last].fill, (0,), {}),
        (np.add, (v[1], v[2], work), {}),
        (np.subtract, (work, v[0], work), {}),
        (np.add, (even[after], work, even[after]), {}),
        (np.subtract, (v[1], v[2], work), {}),
        (np.add, (work, v[3], odd[first]), {}),
        (odd[last].fill, (0,), {}),
        (np.subtract, (odd[after], v[3], odd[after]), {}),
    ]


@jit
def overlapping_loop(dx: Array, v: Array, room: Array, top: int, left: int) -> None:
    """dx (n, h, w, c), its tiles beginning `top` and `left` of it.

    room (4, q, c): a row of pixels of B v.
    """
    n, p = v.shape[2:4]
    q, c = room.shape[1:]
    _, h, w, _ = dx.shape
    flat = room.reshape(4, q * c)
    for a in range(n):
        dx[a] = 0
        for i in range(p):
            for r in range(max(0, top - 2 * i), min(4, h + top - 2 * i)):
                line = dx[a, 2 * i + r - top]
                for k in range(4):
                    if r == 0:
                        _copy_loop(flat[k], v[0, k, a, i])
                    elif r == 1:
                        _middle_loop(flat[k], v[1, k, a, i], v[2, k, a, i], v[3, k, a, i])
                    elif r == 2:
                        _middle_loop(flat[k], v[1, k, a, i], v[0, k, a, i], v[2, k, a, i])
                    else:
                        _negative_loop(flat[k], v[3, k, a, i])
                for k in range(q):
                    first = 2 * k - left
                    if 0 <= first < w:
                        for j in range(c):
                            line[first, j] += room[0, k, j]
                    if 0 <= first + 1 < w:
                        for j in range(c):
                            line[first + 1, j] += room[1, k, j] - room[2, k, j] + room[3, k, j]
                    if 0 <= first + 2 < w:
                        for j in range(c):
                            line[first + 2, j] += room[1, k, j] - room[0, k, j] + room[2, k, j]
                    if 0 <= first + 3 < w:
                        for j in range(c):
                            line[first + 3, j] -= room[3, k, j]


def _along(x: Array, axis: int, start: int, stop: int | None = None) -> Array:
    """Every second along an axis."""
    return x[(slice(None),) * axis + (slice(start, stop, 2),)]


@jit
def _add_loop(out: Array, a: Array, b: Array) -> None:
    for i in range(out.size):
        out[i] = a[i] + b[i]


@jit
def _subtract_loop(out: Array, a: Array, b: Array) -> None:
    for i in range(out.size):
        out[i] = a[i] - b[i]


@jit
def _copy_loop(out: Array, a: Array) -> None:
    for i in range(out.size):
        out[i] = a[i]


@jit
def _negative_loop(out: Array, a: Array) -> None:
    for i in range(out.size):
        out[i] = -a[i]


@jit
def _first_loop(out: Array, a: Array, b: Array, c: Array) -> None:
    for i in range(out.size):
        out[i] = a[i] + b[i] + c[i]


@jit
def _second_loop(out: Array, b: Array, c: Array, d: Array) -> None:
    for i in range(out.size):
        out[i] = b[i] - c[i] - d[i]


@jit
def _middle_loop(out: Array, a: Array, b: Array, c: Array) -> None:
    for i in range(out.size):
        out[i] = a[i] - b[i] + c[i]
