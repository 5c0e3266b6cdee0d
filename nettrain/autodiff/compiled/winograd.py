"""Twin of the 3 x 3 convolution: the sums before and behind its products, a row of tiles at a time in the nearest cache."""

import math
from typing import Any

from nettrain.autodiff.compiled._twin import Twin, call
from nettrain.autodiff.ops import winograd
from nettrain.autodiff.primitive import Array, Call
from nettrain.jit import jit


@jit
def _add(out: Array, a: Array, b: Array) -> None:
    for i in range(out.size):
        out[i] = a[i] + b[i]


@jit
def _subtract(out: Array, a: Array, b: Array) -> None:
    for i in range(out.size):
        out[i] = a[i] - b[i]


@jit
def _copy(out: Array, a: Array) -> None:
    for i in range(out.size):
        out[i] = a[i]


@jit
def _negative(out: Array, a: Array) -> None:
    for i in range(out.size):
        out[i] = -a[i]


@jit
def _differences(v: Array, seen: Array, room: Array) -> None:
    """v (4, 4, n, p, q c), seen (n, 2 p + 2, 2 q + 2, c); room (4, 2, q + 1, c): B^T d of even and of odd columns."""
    n, p = v.shape[2:4]
    c = seen.shape[3]
    flat = room.reshape(4, 2, room.shape[2] * c)
    for a in range(n):
        for i in range(p):
            for k in range(seen.shape[2]):
                place, odd = k // 2, k % 2
                for j in range(c):
                    room[0, odd, place, j] = seen[a, 2 * i, k, j] - seen[a, 2 * i + 2, k, j]
                for j in range(c):
                    room[1, odd, place, j] = seen[a, 2 * i + 1, k, j] + seen[a, 2 * i + 2, k, j]
                for j in range(c):
                    room[2, odd, place, j] = seen[a, 2 * i + 2, k, j] - seen[a, 2 * i + 1, k, j]
                for j in range(c):
                    room[3, odd, place, j] = seen[a, 2 * i + 1, k, j] - seen[a, 2 * i + 3, k, j]
            for r in range(4):
                even, odds = flat[r, 0], flat[r, 1]
                _subtract(v[r, 0, a, i], even, even[c:])
                _add(v[r, 1, a, i], odds, even[c:])
                _subtract(v[r, 2, a, i], even[c:], odds)
                _subtract(v[r, 3, a, i], odds, odds[c:])


@jit
def _first(out: Array, a: Array, b: Array, c: Array) -> None:
    for i in range(out.size):
        out[i] = a[i] + b[i] + c[i]


@jit
def _second(out: Array, b: Array, c: Array, d: Array) -> None:
    for i in range(out.size):
        out[i] = b[i] - c[i] - d[i]


@jit
def _outputs(y: Array, m: Array, room: Array) -> None:
    """y (n, 2 p, 2 q, o), m (4, 4, n, p, q o); room (2, 4, q, o): A^T m."""
    n, p = m.shape[2:4]
    q, o = room.shape[2:]
    flat = room.reshape(2, 4, q * o)
    for a in range(n):
        for i in range(p):
            for k in range(4):
                _first(flat[0, k], m[0, k, a, i], m[1, k, a, i], m[2, k, a, i])
                _second(flat[1, k], m[1, k, a, i], m[2, k, a, i], m[3, k, a, i])
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


@jit
def _spread(z: Array, d: Array, room: Array) -> None:
    """z (4, 4, n, p, q o), d (n, 2 p, 2 q, o); room (8, q, o): d of each place in the tiles, and A d of both columns."""
    n, p = z.shape[2:4]
    q, o = room.shape[1:]
    flat = room.reshape(8, q * o)
    for a in range(n):
        for i in range(p):
            for r in range(2):
                for k in range(2 * q):
                    place, odd = k // 2, k % 2
                    for j in range(o):
                        room[2 * r + odd, place, j] = d[a, 2 * i + r, k, j]
            _tiles(z, flat, a, i)


@jit
def _tiles(z: Array, flat: Array, a: int, i: int) -> None:
    """A row of tiles of z: from the gradients at their four places, the first four of flat."""
    for r in range(4):
        for s in range(2):
            if r == 0:
                _copy(flat[4 + s], flat[s])
            elif r == 1:
                _add(flat[4 + s], flat[s], flat[2 + s])
            elif r == 2:
                _subtract(flat[4 + s], flat[s], flat[2 + s])
            else:
                _negative(flat[4 + s], flat[2 + s])
        _copy(z[r, 0, a, i], flat[4])
        _add(z[r, 1, a, i], flat[4], flat[5])
        _subtract(z[r, 2, a, i], flat[4], flat[5])
        _negative(z[r, 3, a, i], flat[5])


@jit
def _middle(out: Array, a: Array, b: Array, c: Array) -> None:
    for i in range(out.size):
        out[i] = a[i] - b[i] + c[i]


@jit
def _overlapping(dx: Array, v: Array, room: Array) -> None:
    """dx (n, 2 p + 2, 2 q + 2, c), v (4, 4, n, p, q c); room (4, q, c): a row of pixels of B v."""
    n, p = v.shape[2:4]
    q, c = room.shape[1:]
    flat = room.reshape(4, q * c)
    for a in range(n):
        dx[a] = 0
        for i in range(p):
            for r in range(4):
                for k in range(4):
                    if r == 0:
                        _copy(flat[k], v[0, k, a, i])
                    elif r == 1:
                        _middle(flat[k], v[1, k, a, i], v[2, k, a, i], v[3, k, a, i])
                    elif r == 2:
                        _middle(flat[k], v[1, k, a, i], v[0, k, a, i], v[2, k, a, i])
                    else:
                        _negative(flat[k], v[3, k, a, i])
                for k in range(q):
                    for j in range(c):
                        dx[a, 2 * i + r, 2 * k, j] += room[0, k, j]
                    for j in range(c):
                        dx[a, 2 * i + r, 2 * k + 1, j] += (
                            room[1, k, j] - room[2, k, j] + room[3, k, j]
                        )
                    for j in range(c):
                        dx[a, 2 * i + r, 2 * k + 2, j] += (
                            room[1, k, j] - room[0, k, j] + room[2, k, j]
                        )
                    for j in range(c):
                        dx[a, 2 * i + r, 2 * k + 3, j] -= room[3, k, j]


def _by_rows(x: Array) -> Array:
    """(4, 4, n, p, q, c) as (4, 4, n, p, q c)."""
    return x.reshape(*x.shape[:4], -1)


class Winograd(Twin, winograd.Winograd):
    """Each of the sums in one loop."""

    def forward_calls(self, *args: Any, **scratch: Any) -> list[Call]:
        return winograd.Winograd.forward_calls(self, *args, **scratch)

    def backward_calls(self, *args: Any, **scratch: Any) -> list[Call]:
        return winograd.Winograd.backward_calls(self, *args, **scratch)

    def differences(self, v: Array, seen: Array, scratch: dict[str, Array]) -> list[Call]:
        q, c = v.shape[4:]
        return [call(_differences, _by_rows(v), seen, _room(scratch["seen_rows"], 4, 2, q + 1, c))]

    def outputs(self, m: Array, y: Array, scratch: dict[str, Array]) -> list[Call]:
        return [call(_outputs, y, _by_rows(m), _room(scratch["made_rows"], 2, 4, *m.shape[4:]))]

    def spread(self, z: Array, made: Array, scratch: dict[str, Array]) -> list[Call]:
        return [call(_spread, _by_rows(z), made, _room(scratch["made_rows"], 8, *z.shape[4:]))]

    def overlapping(self, dx: Array, v: Array, scratch: dict[str, Array]) -> list[Call]:
        return [call(_overlapping, dx, _by_rows(v), _room(scratch["v_sum"], 4, *v.shape[4:]))]


def _room(x: Array, *shape: int) -> Array:
    """Room of this shape in x."""
    return x.reshape(-1)[: math.prod(shape)].reshape(shape)
