"""Winograd's convolution with 3 x 3 filters: fewer multiplications, for many channels."""

import math
from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.compiled import call, compiles
from nettrain.autodiff.ops import convolution
from nettrain.autodiff.ops import winograd_transforms as transforms
from nettrain.autodiff.ops.convolution import Convolution
from nettrain.autodiff.ops.windows import contiguous_copy, copy_call
from nettrain.autodiff.primitive import Array, Call, Scratch, Shape, Slots

# G of the paper for two axes at once: u (16, c o) = FILTERS w (9, c o)
_LINE = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
FILTERS = np.kron(_LINE, _LINE)
# Of c o / (c + o), from which the multiplications saved cost more than the sums; with compiled
# loops the sums cost a third of the time (16 channels: a fifth less time for a step of a ResNet).
WORTH = 12
WORTH_COMPILED = 8


@dataclass(frozen=True)
class Winograd(Convolution):
    """Y = A^T [sum_c (B^T d B) (G w G^T)] A for tiles Y of 2 x 2 outputs, d their 4 x 4 pixels.

    A convolution with 4 multiplications per output instead of 9. Lavin & Gray 2016, F(2 x 2,
    3 x 3). The sums over c are 16 matrix products, one per element of the 4 x 4: m = v u,
    v (tiles, c), u (c, o). Backward, from z = A dY A^T: du = v^T z, dv = z u^T, dw = G^T du G, and
    dx adds up the B dv B^T of the tiles. Rounding differs from `Convolution` but is about as small:
    the factors are 1 and 1/2.  w (3, 3, c, o); stride, dilation and groups 1.
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
                "winograd: takes filters (3, 3, c, o) without stride, dilation and groups, "
                f"got {shapes[1]} and {self}"
            )
        return super().infer(*shapes)

    @staticmethod
    def pays(w: Shape, out: Shape, *, compiled: bool = False) -> bool:
        """Whether it is faster than `Convolution`: for many channels, on images that tiles fit."""
        (c, o), worth = w[2:], WORTH_COMPILED if compiled else WORTH
        tiles = (out[1] + 1) // 2 * ((out[2] + 1) // 2)
        return w[:2] == (3, 3) and c * o >= worth * (c + o) and 4 * tiles <= 1.3 * out[1] * out[2]

    @classmethod
    def replacing(cls, plain: Convolution, w: Shape, out: Shape) -> "Winograd | None":
        """What computes a convolution faster where loops are compiled."""
        simple = plain.stride == plain.dilation == (1, 1) and plain.groups == 1
        return cls(padding=plain.padding) if simple and cls.pays(w, out, compiled=True) else None

    def images(self, x: Shape, w: Shape) -> int:
        _, down, across, o = self.infer(x, w)
        tiles = (down + 1) // 2 * ((across + 1) // 2)
        return min(x[0], max(1, convolution.CACHE // (16 * tiles * (x[3] + o))))

    def scratch(self, *shapes: Shape) -> Scratch:
        """Arrays for the filters and for the images of a part.

        u, u_transposed, du, du_part: of the filters; seen, seen_rows, v: of pixels; m, made_rows,
        made: of outputs; v_sum, rows_sum, dx_made: for dx; filters, da: contiguous copies; ones,
        db_part: for db.
        """
        x, w = shapes[:2]
        (_, down, across, o), c, few = self.infer(*shapes), x[3], self.images(x, w)
        p, q = (down + 1) // 2, (across + 1) // 2
        sizes: dict[str, Shape] = {
            "u": (16, c, o),
            "u_transposed": (16, o, c),
            "du": (16, c, o),
            "du_part": (16, c, o),
            "filters": w,
            "seen": (few, 2 * p + 2, 2 * q + 2, c),
            "seen_rows": (4, few, p, 2 * q + 2, c),
            "v": (16 * few * p * q * c,),
            "m": (16 * few * p * q * o,),
            "made_rows": (8 * few * p * q * o,),
            "made": (few, 2 * p, 2 * q, o),
            "v_sum": (4, few, p, q, c),
            "rows_sum": (few, p, 2 * q + 2, c),
            "dx_made": (few, 2 * p + 2, 2 * q + 2, c),
            "da": (few, down, across, o),
            "ones": (few * down * across,),
            "db_part": (o,),
        }
        return {name: (size, None) for name, size in sizes.items()}

    def begin(self, w: Array, scratch: dict[str, Array]) -> tuple[list[Call], Array]:
        """The calls before the first part: u, and zeros around the pixels."""
        calls, w = contiguous_copy(w, scratch["filters"])
        calls.append((scratch["seen"].fill, (0,), {}))
        u = scratch["u"]
        calls.append(
            (np.matmul, (FILTERS.astype(u.dtype), w.reshape(9, -1), u.reshape(16, -1)), {})
        )
        return calls, w

    def forward_part(
        self, y: Array, x: Array, w: Array, b: Array | None, scratch: dict[str, Array]
    ) -> list[Call]:
        """The calls that compute y from x, some of the images."""
        v, m = self.rooms(y, x, scratch)
        made = scratch["made"][: len(y)]
        calls = self.see(x, v, scratch)
        calls.append((np.matmul, (_by_element(v), scratch["u"], _by_element(m)), {}))
        if made.shape == y.shape:
            calls += self.outputs(m, y, scratch)
        else:
            calls += self.outputs(m, made, scratch)
            calls.append(copy_call(y, made[:, : y.shape[1], : y.shape[2]]))
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
        """v = B^T d B, d the 4 x 4 pixels of each tile; both contiguous."""
        return transforms.differences(v, seen, scratch["seen_rows"][:, : len(seen)])

    def outputs(self, m: Array, y: Array, scratch: dict[str, Array]) -> list[Call]:
        """y = A^T m A."""
        return transforms.outputs(y, m, _part(scratch["made_rows"], 2, 4, *m.shape[2:]))

    def begin_back(
        self, grads: Slots, w: Array, scratch: dict[str, Array]
    ) -> tuple[list[Call], Array]:
        """The calls before the first part."""
        calls, w = self.begin(w, scratch)
        calls += [
            copy_call(scratch["u_transposed"], scratch["u"].swapaxes(1, 2)),
            (scratch["ones"].fill, (1,), {}),
        ]
        calls.append((scratch["made"].fill, (0,), {}))
        if not scratch["ones"].size:
            calls += [(slot.fill, (0,), {}) for slot in grads[1:] if slot is not None]
        return calls, w

    def backward_part(
        self, grads: Slots, part: slice, da: Array, x: Array, w: Array, scratch: dict[str, Array]
    ) -> list[Call]:
        """The calls that add some of the images to dw and db, and that compute their dx."""
        (dx, dw, db), first = (*grads, None)[:3], part.start == 0
        calls, da = contiguous_copy(da, scratch["da"])
        if db is not None:
            calls += self.bias_calls(db, da, scratch, first)
        if dx is None and dw is None:
            return calls
        v, z = self.rooms(da, x, scratch)
        calls += self.gradients(da, z, scratch)
        if dw is not None:
            du, product = scratch["du"], scratch["du" if first else "du_part"]
            calls += self.see(x[part], v, scratch)
            calls.append((np.matmul, (_by_element(v).swapaxes(1, 2), _by_element(z), product), {}))
            if not first:
                calls.append((np.add, (du, product, du), {}))
            if part.stop == len(x):
                target = dw if dw.flags.c_contiguous else scratch["filters"]
                back = FILTERS.T.astype(du.dtype)
                calls.append((np.matmul, (back, du.reshape(16, -1), target.reshape(9, -1)), {}))
                calls += [copy_call(dw, target)] if target is not dw else []
        if dx is not None:
            calls.append((np.matmul, (_by_element(z), scratch["u_transposed"], _by_element(v)), {}))
            calls += self.pixels(dx[part], v, scratch)
        return calls

    def gradients(self, da: Array, z: Array, scratch: dict[str, Array]) -> list[Call]:
        """z = A dY A^T."""
        made = scratch["made"][: len(da)]
        if made.shape == da.shape:
            return self.spread(z, da, scratch)
        return [
            copy_call(made[:, : da.shape[1], : da.shape[2]], da),
            *self.spread(z, made, scratch),
        ]

    def spread(self, z: Array, d: Array, scratch: dict[str, Array]) -> list[Call]:
        """z = A d A^T, d the 2 x 2 gradients of each tile; both contiguous."""
        n, p, q, o = z.shape[2:]
        return transforms.spread(z, d, _part(scratch["made_rows"], 4, n, p, 2 * q, o))

    def pixels(self, dx: Array, v: Array, scratch: dict[str, Array]) -> list[Call]:
        """dx = B v B^T, added up where tiles overlap."""
        (_, h, w, _), ((top, _), (left, _)) = dx.shape, self.padding
        made = scratch["dx_made"][: len(dx)]
        if made.shape == dx.shape and dx.flags.c_contiguous:
            return self.overlapping(dx, v, scratch)
        return [
            *self.overlapping(made, v, scratch),
            copy_call(dx, made[:, top : top + h, left : left + w]),
        ]

    def overlapping(self, dx: Array, v: Array, scratch: dict[str, Array]) -> list[Call]:
        """dx with the zeros around it, from the 4 x 4 gradients of each tile; both contiguous."""
        n = len(dx)
        work = scratch["v_sum"][:, :n], scratch["rows_sum"][:n]
        return transforms.overlapping(dx, v, scratch["seen_rows"][:, :n], work)


@compiles(Winograd)
class CompiledWinograd(Winograd):
    """Each of the transforms in one loop."""

    def see(self, x: Array, v: Array, scratch: dict[str, Array]) -> list[Call]:
        if not x.flags.c_contiguous:
            return super().see(x, v, scratch)
        return self._differences(v, x, scratch, self._corner)

    def differences(self, v: Array, seen: Array, scratch: dict[str, Array]) -> list[Call]:
        return self._differences(v, seen, scratch, (0, 0))

    def _differences(
        self, v: Array, x: Array, scratch: dict[str, Array], corner: tuple[int, int]
    ) -> list[Call]:
        """v = B^T d B; corner: how far above and left of x the tiles begin."""
        q, c = v.shape[4:]
        room = _part(scratch["seen_rows"], 4, 2, q + 1, c)
        zeros = scratch["seen"][0, 0]  # where x has pixels around it, nothing is copied there
        return [call(transforms.differences_loop, _by_rows(v), x, zeros, room, *corner)]

    @property
    def _corner(self) -> tuple[int, int]:
        (top, _), (left, _) = self.padding
        return top, left

    def outputs(self, m: Array, y: Array, scratch: dict[str, Array]) -> list[Call]:
        return [
            call(
                transforms.outputs_loop,
                y,
                _by_rows(m),
                _part(scratch["made_rows"], 2, 4, *m.shape[4:]),
            )
        ]

    def spread(self, z: Array, d: Array, scratch: dict[str, Array]) -> list[Call]:
        return [
            call(
                transforms.spread_loop, _by_rows(z), d, _part(scratch["made_rows"], 8, *z.shape[4:])
            )
        ]

    def pixels(self, dx: Array, v: Array, scratch: dict[str, Array]) -> list[Call]:
        if not dx.flags.c_contiguous:
            return super().pixels(dx, v, scratch)
        return self._overlapping(dx, v, scratch, self._corner)

    def overlapping(self, dx: Array, v: Array, scratch: dict[str, Array]) -> list[Call]:
        return self._overlapping(dx, v, scratch, (0, 0))

    def _overlapping(
        self, dx: Array, v: Array, scratch: dict[str, Array], corner: tuple[int, int]
    ) -> list[Call]:
        """dx = B v B^T; corner: how far above and left of dx the tiles begin."""
        room = _part(scratch["v_sum"], 4, *v.shape[4:])
        return [call(transforms.overlapping_loop, dx, _by_rows(v), room, *corner)]


def _by_rows(x: Array) -> Array:
    """(4, 4, n, p, q, c) as (4, 4, n, p, q c)."""
    return x.reshape(*x.shape[:4], -1)


def _part(x: Array, *shape: int) -> Array:
    """The first elements of x, in this shape."""
    return x.reshape(-1)[: math.prod(shape)].reshape(shape)


def _by_element(x: Array) -> Array:
    """(4, 4, n, p, q, c) as (16, n p q, c)."""
    return x.reshape(16, -1, x.shape[-1])
