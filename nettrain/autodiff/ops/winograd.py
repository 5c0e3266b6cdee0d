"""Convolution with 3 x 3 filters in fewer multiplications: tiles of 2 x 2 outputs by Winograd's way, 4 products an output instead of 9."""

import math
from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.compiled import call, compiles
from nettrain.autodiff.ops import convolution
from nettrain.autodiff.ops.convolution import Convolution
from nettrain.autodiff.ops.windows import copy_call
from nettrain.autodiff.primitive import Array, Call, Scratch, Shape, Slots
from nettrain.jit import jit

# G of the paper for two axes at once: u (16, c o) = FILTERS w (9, c o)
_LINE = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
FILTERS = np.kron(_LINE, _LINE)
WORTH = 12  # of c o / (c + o), from which the products that are saved take longer than the sums around them


@dataclass(frozen=True)
class Winograd(Convolution):
    """The convolution by Y = A^T [sum_c (B^T d B) (G w G^T)] A for tiles Y of 2 x 2 outputs, d the 4 x 4 pixels that a tile sees.

    Lavin & Gray 2016, F(2 x 2, 3 x 3). The sums over c are 16 products of matrices, one for each place in the 4 x 4:
    m = v u, v (tiles, c), u (c, o);  back, from z = A dY A^T:  du = v^T z, dv = z u^T, dw = G^T du G, and dx adds up the B dv B^T.
    Rounded otherwise than by windows, about as well: factors are 1 and 1/2.  w (3, 3, c, o), stride, dilation and groups 1.
    """

    def infer(self, *shapes: Shape) -> Shape:
        """(n, p, q, o)."""
        if (
            shapes[1][:2] != (3, 3)
            or self.stride != (1, 1)
            or self.dilation != (1, 1)
            or self.groups != 1
        ):
            raise ValueError(
                f"winograd: wants filters (3, 3, c, o) without stride, dilation and groups, got {shapes[1]} and {self}"
            )
        return super().infer(*shapes)

    @staticmethod
    def pays(w: Shape, out: Shape) -> bool:
        """Whether it is faster than windows, without stride, dilation and groups: for many channels, on images that tiles fit."""
        c, o = w[2:]
        tiles = (out[1] + 1) // 2 * ((out[2] + 1) // 2)
        return w[:2] == (3, 3) and c * o >= WORTH * (c + o) and 4 * tiles <= 1.3 * out[1] * out[2]

    def images(self, x: Shape, w: Shape) -> int:
        """How many are worked on at a time."""
        _, down, across, o = self.infer(x, w)
        tiles = (down + 1) // 2 * ((across + 1) // 2)
        return min(x[0], max(1, convolution.CACHE // (16 * tiles * (x[3] + o))))

    def scratch(self, *shapes: Shape) -> Scratch:
        """u, u_turned (o, c), du, du_part: of the filters; seen, seen_rows, v: of the pixels of a part; m, made_rows, made: of its outputs;
        v_sum, rows_sum, dx_made: for dx; filters, da: contiguous copies; ones, db_part: for db."""
        x, w = shapes[:2]
        (_, down, across, o), c, few = self.infer(*shapes), x[3], self.images(x, w)
        p, q = (down + 1) // 2, (across + 1) // 2
        wanted: dict[str, Shape] = {
            "u": (16, c, o), "u_turned": (16, o, c), "du": (16, c, o), "du_part": (16, c, o), "filters": w,
            "seen": (few, 2 * p + 2, 2 * q + 2, c), "seen_rows": (4, few, p, 2 * q + 2, c), "v": (16 * few * p * q * c,),
            "made": (few, 2 * p, 2 * q, o), "made_rows": (8 * few * p * q * o,), "m": (16 * few * p * q * o,),
            "v_sum": (4, few, p, q, c), "rows_sum": (few, p, 2 * q + 2, c), "dx_made": (few, 2 * p + 2, 2 * q + 2, c),
            "da": (few, down, across, o), "ones": (few * down * across,), "db_part": (o,),
        }  # fmt: skip
        return {name: (size, None) for name, size in wanted.items()}

    def begin(self, w: Array, scratch: dict[str, Array]) -> tuple[list[Call], Array]:
        """The filters in their 16 places, zeros around pixels."""
        calls: list[Call] = [(scratch["seen"].fill, (0,), {})]
        if not w.flags.c_contiguous:
            calls.append(copy_call(scratch["filters"], w))
            w = scratch["filters"]
        u = scratch["u"]
        calls.append(
            (np.matmul, (FILTERS.astype(u.dtype), w.reshape(9, -1), u.reshape(16, -1)), {})
        )
        return calls, w

    def forward_part(
        self, y: Array, x: Array, w: Array, b: Array | None, scratch: dict[str, Array]
    ) -> list[Call]:
        """The calls that make y of x, some of the images."""
        v, m = self.rooms(y, x, scratch)
        made = scratch["made"][: len(y)]
        calls = self.see(x, v, scratch)
        calls.append((np.matmul, (_places(v), scratch["u"], _places(m)), {}))
        if made.shape == y.shape:
            calls += self.outputs(m, y, scratch)
        else:
            calls += [
                *self.outputs(m, made, scratch),
                copy_call(y, made[:, : y.shape[1], : y.shape[2]]),
            ]
        if b is not None:
            calls.append((np.add, (y, b, y), {}))
        return calls

    def rooms(self, y: Array, x: Array, scratch: dict[str, Array]) -> tuple[Array, Array]:
        """v (4, 4, n, p, q, c) and m (4, 4, n, p, q, o), tiles p x q, for some of the images."""
        n, p, q = len(y), (y.shape[1] + 1) // 2, (y.shape[2] + 1) // 2
        v, m = (
            scratch[name][: 16 * n * p * q * channels]
            for name, channels in (("v", x.shape[3]), ("m", y.shape[3]))
        )
        return v.reshape(4, 4, n, p, q, -1), m.reshape(4, 4, n, p, q, -1)

    def see(self, x: Array, v: Array, scratch: dict[str, Array]) -> list[Call]:
        """v = B^T d B."""
        (_, h, w, _), ((top, _), (left, _)), seen = x.shape, self.padding, scratch["seen"][: len(x)]
        if seen.shape == x.shape and x.flags.c_contiguous:
            return self.differences(v, x, scratch)
        return [
            copy_call(seen[:, top : top + h, left : left + w], x),
            *self.differences(v, seen, scratch),
        ]

    def differences(self, v: Array, seen: Array, scratch: dict[str, Array]) -> list[Call]:
        """v = B^T d B, d the four by four pixels of each tile; both contiguous."""
        rows = scratch["seen_rows"][:, : len(seen)]
        return _differences(list(rows), seen, 1) + _differences(
            [v[:, j] for j in range(4)], rows, 3
        )

    def outputs(self, m: Array, y: Array, scratch: dict[str, Array]) -> list[Call]:
        """y = A^T m A."""
        few, p, q, o = m.shape[2:]
        rows = scratch["made_rows"][: 8 * few * p * q * o].reshape(2, 4, few, p, q, o)
        place = y.reshape(few, p, 2, q, 2, o).transpose(4, 2, 0, 1, 3, 5)
        calls = _sums(rows[0], rows[1], *m)
        return calls + _sums(place[0], place[1], *rows.swapaxes(0, 1))

    def begin_back(
        self, grads: Slots, w: Array, scratch: dict[str, Array]
    ) -> tuple[list[Call], Array]:
        """What is to be done before the first part."""
        calls, w = self.begin(w, scratch)
        calls += [
            copy_call(scratch["u_turned"], scratch["u"].swapaxes(1, 2)),
            (scratch["ones"].fill, (1,), {}),
        ]
        calls.append((scratch["made"].fill, (0,), {}))
        if not scratch["ones"].size:
            calls += [(slot.fill, (0,), {}) for slot in grads[1:] if slot is not None]
        return calls, w

    def backward_part(
        self, grads: Slots, part: slice, da: Array, x: Array, w: Array, scratch: dict[str, Array]
    ) -> list[Call]:
        """The calls that add what some of the images, with the gradient da, give to dw and db, and that make their dx."""
        (dx, dw, db), few = (*grads, None)[:3], part.stop - part.start
        calls: list[Call] = []
        if not da.flags.c_contiguous:
            calls.append(copy_call(scratch["da"][:few], da))
            da = scratch["da"][:few]
        if db is not None:
            calls += self.bias_calls(db, da, part, scratch)
        if dx is None and dw is None:
            return calls
        v, z = self.rooms(da, x, scratch)
        calls += self.gradients(da, z, scratch)
        if dw is not None:
            du, du_part = scratch["du"], scratch["du_part"]
            calls += self.see(x[part], v, scratch)
            calls.append(
                (
                    np.matmul,
                    (_places(v).swapaxes(1, 2), _places(z), du_part if part.start else du),
                    {},
                )
            )
            if part.start:
                calls.append((np.add, (du, du_part, du), {}))
            if part.stop == len(x):
                made = dw if dw.flags.c_contiguous else scratch["filters"]
                calls.append(
                    (
                        np.matmul,
                        (FILTERS.T.astype(du.dtype), du.reshape(16, -1), made.reshape(9, -1)),
                        {},
                    )
                )
                calls += [copy_call(dw, made)] if made is not dw else []
        if dx is not None:
            calls.append((np.matmul, (_places(z), scratch["u_turned"], _places(v)), {}))
            calls += self.pixels(dx[part], v, scratch)
        return calls

    def bias_calls(
        self, db: Array, da: Array, part: slice, scratch: dict[str, Array]
    ) -> list[Call]:
        """db = sum da, added up."""
        rows, total = da.reshape(-1, da.shape[3]), scratch["db_part"]
        calls: list[Call] = [(np.matmul, (scratch["ones"][: len(rows)], rows, total), {})]
        return [*calls, (np.add, (db, total, db), {}) if part.start else copy_call(db, total)]

    def gradients(self, da: Array, z: Array, scratch: dict[str, Array]) -> list[Call]:
        """z = A dY A^T."""
        made = scratch["made"][: len(da)]
        if made.shape == da.shape:
            return self.spread(z, da, scratch)
        return [
            copy_call(made[:, : da.shape[1], : da.shape[2]], da),
            *self.spread(z, made, scratch),
        ]

    def spread(self, z: Array, made: Array, scratch: dict[str, Array]) -> list[Call]:
        """z = A d A^T, d the two by two gradients of each tile; both contiguous."""
        few, p, q, o = z.shape[2:]
        rows = scratch["made_rows"][: 8 * few * p * q * o].reshape(4, few, p, 2 * q, o)
        calls = _spread(list(rows), made[:, ::2], made[:, 1::2])
        return calls + _spread([z[:, j] for j in range(4)], rows[:, :, :, ::2], rows[:, :, :, 1::2])

    def pixels(self, dx: Array, v: Array, scratch: dict[str, Array]) -> list[Call]:
        """dx = B v B^T, added up where tiles overlap."""
        (_, h, w, _), ((top, _), (left, _)), made = (
            dx.shape,
            self.padding,
            scratch["dx_made"][: len(dx)],
        )
        if made.shape == dx.shape and dx.flags.c_contiguous:
            return self.overlapping(dx, v, scratch)
        return [
            *self.overlapping(made, v, scratch),
            copy_call(dx, made[:, top : top + h, left : left + w]),
        ]

    def overlapping(self, dx: Array, v: Array, scratch: dict[str, Array]) -> list[Call]:
        """dx, with the zeros around it, of the four by four gradients of each tile; both contiguous."""
        rows = scratch["seen_rows"][:, : len(dx)]
        calls = _overlapping(rows, [v[:, j] for j in range(4)], 3, scratch["v_sum"][:, : len(dx)])
        return calls + _overlapping(dx, list(rows), 1, scratch["rows_sum"][: len(dx)])


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
def _differences_loop(v: Array, seen: Array, room: Array) -> None:
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
                _subtract_loop(v[r, 0, a, i], even, even[c:])
                _add_loop(v[r, 1, a, i], odds, even[c:])
                _subtract_loop(v[r, 2, a, i], even[c:], odds)
                _subtract_loop(v[r, 3, a, i], odds, odds[c:])


@jit
def _first_loop(out: Array, a: Array, b: Array, c: Array) -> None:
    for i in range(out.size):
        out[i] = a[i] + b[i] + c[i]


@jit
def _second_loop(out: Array, b: Array, c: Array, d: Array) -> None:
    for i in range(out.size):
        out[i] = b[i] - c[i] - d[i]


@jit
def _outputs_loop(y: Array, m: Array, room: Array) -> None:
    """y (n, 2 p, 2 q, o), m (4, 4, n, p, q o); room (2, 4, q, o): A^T m."""
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


@jit
def _spread_loop(z: Array, d: Array, room: Array) -> None:
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
            _tiles_loop(z, flat, a, i)


@jit
def _tiles_loop(z: Array, flat: Array, a: int, i: int) -> None:
    """A row of tiles of z: from the gradients at their four places, the first four of flat."""
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


@jit
def _middle_loop(out: Array, a: Array, b: Array, c: Array) -> None:
    for i in range(out.size):
        out[i] = a[i] - b[i] + c[i]


@jit
def _overlapping_loop(dx: Array, v: Array, room: Array) -> None:
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
                        _copy_loop(flat[k], v[0, k, a, i])
                    elif r == 1:
                        _middle_loop(flat[k], v[1, k, a, i], v[2, k, a, i], v[3, k, a, i])
                    elif r == 2:
                        _middle_loop(flat[k], v[1, k, a, i], v[0, k, a, i], v[2, k, a, i])
                    else:
                        _negative_loop(flat[k], v[3, k, a, i])
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


@compiles(Winograd)
class CompiledWinograd(Winograd):
    """Each of the sums in one loop."""

    def differences(self, v: Array, seen: Array, scratch: dict[str, Array]) -> list[Call]:
        q, c = v.shape[4:]
        return [
            call(_differences_loop, _by_rows(v), seen, _room(scratch["seen_rows"], 4, 2, q + 1, c))
        ]

    def outputs(self, m: Array, y: Array, scratch: dict[str, Array]) -> list[Call]:
        return [
            call(_outputs_loop, y, _by_rows(m), _room(scratch["made_rows"], 2, 4, *m.shape[4:]))
        ]

    def spread(self, z: Array, made: Array, scratch: dict[str, Array]) -> list[Call]:
        return [call(_spread_loop, _by_rows(z), made, _room(scratch["made_rows"], 8, *z.shape[4:]))]

    def overlapping(self, dx: Array, v: Array, scratch: dict[str, Array]) -> list[Call]:
        return [call(_overlapping_loop, dx, _by_rows(v), _room(scratch["v_sum"], 4, *v.shape[4:]))]


def _room(x: Array, *shape: int) -> Array:
    """Room of this shape in x."""
    return x.reshape(-1)[: math.prod(shape)].reshape(shape)


def _places(x: Array) -> Array:
    """(4, 4, n, p, q, c) as (16, n p q, c)."""
    return x.reshape(16, -1, x.shape[-1])


def _along(x: Array, axis: int, start: int, stop: int) -> Array:
    """Every second along an axis."""
    return x[(slice(None),) * axis + (slice(start, stop, 2),)]


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


def _sums(first: Array, second: Array, m0: Array, m1: Array, m2: Array, m3: Array) -> list[Call]:
    """A^T along an axis: m0 + m1 + m2, m1 - m2 - m3."""
    return [
        (np.add, (m0, m1, first), {}),
        (np.add, (first, m2, first), {}),
        (np.subtract, (m1, m2, second), {}),
        (np.subtract, (second, m3, second), {}),
    ]


def _spread(out: list[Array], d0: Array, d1: Array) -> list[Call]:
    """A along an axis: d0, d0 + d1, d0 - d1, -d1."""
    return [
        copy_call(out[0], d0),
        (np.add, (d0, d1, out[1]), {}),
        (np.subtract, (d0, d1, out[2]), {}),
        (np.negative, (d1, out[3]), {}),
    ]


def _overlapping(out: Array, v: list[Array], axis: int, work: Array) -> list[Call]:
    """B along an axis, each tile's four pixels added to those of its neighbour: v0, v1 - v2 + v3, v1 + v2 - v0, -v3."""
    size = out.shape[axis]
    even, odd = _along(out, axis, 0, size), _along(out, axis, 1, size)
    count = v[0].shape[axis]
    whole: tuple[slice, ...] = (slice(None),) * axis
    first, after, last = (
        (*whole, slice(count)),
        (*whole, slice(1, count + 1)),
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
