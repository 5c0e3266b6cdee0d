"""Convolution of images, channels last, as a matrix product of their windows with the filters."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.compiled import call, compiles
from nettrain.autodiff.ops.matmul import product_call
from nettrain.autodiff.ops.windows import Filtering, Pair, contiguous_copy, copy_call, in_parts
from nettrain.autodiff.primitive import Array, Call, DefinedByCalls, Scratch, Shape, Slots
from nettrain.jit import jit

CACHE = 192 * 1024  # numbers that are worked on at a time: 768 KB of float32 stay in a core's cache
NARROW = 4  # channels up to which a window is too short to be copied as a run of memory


@dataclass(frozen=True)
class Convolution(Filtering, DefinedByCalls):
    """y[p, q, o] = b[o] + sum_ijc x[p s + i d - top, q s + j d - left, c] w[i, j, c, o].

    x is 0 outside of the images; filters are not flipped (a correlation, as in other frameworks).
    dw = columns^T dy, db = sum dy, dx the convolution of dy with the flipped filters.
    x (n, h, w, c), w (kh, kw, c / groups, o), b (o,), which may be left out -> y (n, p, q, o).

    The columns (windows, kh kw c) of a few images at a time stay in the cache; computing them again
    for dw costs less than keeping them.

    Attributes:
        groups: Number of groups of channels that are convolved apart.
    """

    groups: int = 1

    @property
    def title(self) -> str:
        return f"convolution in {self.groups} groups" if self.groups > 1 else "convolution"

    def fits(self, c: int, w: Shape) -> bool:
        return c == self.groups * w[2] and w[3] % self.groups == 0

    def images(self, x: Shape, w: Shape) -> int:
        _, down, across, o = self.infer(x, w)
        return min(x[0], max(1, CACHE // (down * across * (w[0] * w[1] * x[3] + o))))

    def _rows(self, x: Shape, w: Shape) -> int:
        """The number of rows of windows of one image that are computed at a time.

        All, where there is room for several images.
        """
        _, down, across, o = self.infer(x, w)
        return min(down, max(1, 4 * CACHE // (across * (w[0] * w[1] * x[3] + o))))

    def flipped(self, w: Shape) -> "Convolution | None":
        """The convolution that computes dx from dy and the flipped filters, where there is one."""
        (rh, rw), ((top, bottom), (left, right)) = self.windows(w).reach, self.padding
        padding = (rh - 1 - top, rh - 1 - bottom), (rw - 1 - left, rw - 1 - right)
        if self.stride != (1, 1) or self.groups > 1 or min(padding[0] + padding[1]) < 0:
            return None
        return Convolution(padding=padding, dilation=self.dilation)

    def flips(self, w: Shape) -> bool:
        """Whether that convolution computes dx; else the gradient of the columns is scattered."""
        return self.flipped(w) is not None

    def scratch(self, *shapes: Shape) -> Scratch:
        """Arrays for the images of a part.

        padded, dx_padded: images and their gradient with zeros around them; columns: windows;
        filters, da, dx_part: contiguous copies where they are needed; flipped: the flipped filters;
        back_columns, back_padded: of their convolution; ones, dw_part, db_part: for sums.
        """
        x, w = shapes[:2]
        m, (_, down, across, o) = self.images(x, w), self.infer(*shapes)
        sizes = self._sizes(x, w) | {
            "filters": w,
            "dw_part": w,
            "db_part": (o,),
            "ones": (m * down * across,),
            "da": (m, down, across, o),
            "dx_part": (m, *x[1:]),
        }
        if "padded" in sizes:
            sizes["dx_padded"] = sizes["padded"]
        back = self.flipped(w)
        if back is not None:
            sizes["flipped"] = filters = (w[0], w[1], o, x[3])
            own = back._sizes((m, down, across, o), filters)
            sizes |= {f"back_{name}": size for name, size in own.items()}
        return {name: (size, None) for name, size in sizes.items()}

    def _sizes(self, x: Shape, w: Shape) -> dict[str, Shape]:
        """The arrays of the forward pass."""
        m, (_, _, across, _), windows = self.images(x, w), self.infer(x, w), self.windows(w)
        rows = m * self._rows(x, w)
        sizes: dict[str, Shape] = {"columns": (rows * across * w[0] * w[1] * x[3],)}
        if windows.pads:
            sizes["padded"] = (m, *windows.surrounded(*x[1:3]), x[3])
        return sizes

    def forward_calls(
        self, out: Array, x: Array, w: Array, b: Array | None = None, **scratch: Array
    ) -> list[Call]:
        calls, w = self.begin(w, scratch)
        for part in self.parts(x.shape, w.shape):
            calls += self.forward_part(out[part], x[part], w, b, scratch)
        return calls

    def begin(self, w: Array, scratch: dict[str, Array]) -> tuple[list[Call], Array]:
        """The calls before the first part, and the filters in contiguous memory."""
        calls, w = contiguous_copy(w, scratch["filters"])
        if "padded" in scratch:  # the zeros around the images stay from part to part
            calls.append((scratch["padded"].fill, (0,), {}))
        return calls, w

    def forward_part(
        self, y: Array, x: Array, w: Array, b: Array | None, scratch: dict[str, Array]
    ) -> list[Call]:
        """The calls that compute y from x, some of the images; w and y are contiguous."""
        calls, seen = self._seen(x, w.shape, scratch)
        for rows in self._stripes(x.shape, w.shape):
            more, columns = self._columns(seen[:, rows], scratch["columns"])
            calls += [*more, product_call(columns, self._by_group(w), self._by_group(y[:, rows]))]
        if b is not None:
            calls.append((np.add, (y, b, y), {}))
        return calls

    def backward_calls(
        self,
        grads: Slots,
        dy: Array,
        out: Array,
        x: Array,
        w: Array,
        b: Array | None = None,
        **scratch: Array,
    ) -> list[Call]:
        calls, w = self.begin_back(grads, w, scratch)
        for part in self.parts(x.shape, w.shape):
            calls += self.backward_part(grads, part, dy[part], x, w, scratch)
        return calls

    def begin_back(
        self, grads: Slots, w: Array, scratch: dict[str, Array]
    ) -> tuple[list[Call], Array]:
        """The calls before the first part, and the filters in contiguous memory."""
        calls, w = self.begin(w, scratch)
        if grads[0] is not None and self.flips(w.shape):
            calls.append(copy_call(scratch["flipped"], w[::-1, ::-1].swapaxes(2, 3)))
            if "back_padded" in scratch:
                calls.append((scratch["back_padded"].fill, (0,), {}))
        for slot in grads[1:]:
            if slot is not None and not scratch["ones"].size:
                calls.append((slot.fill, (0,), {}))
        calls.append((scratch["ones"].fill, (1,), {}))
        return calls, w

    def backward_part(
        self, grads: Slots, part: slice, da: Array, x: Array, w: Array, scratch: dict[str, Array]
    ) -> list[Call]:
        """The calls that add some of the images to dw and db, and that compute their dx.

        da: the gradient of their y; w is contiguous.
        """
        (dx, dw, db), first = (*grads, None)[:3], part.start == 0
        calls, da = contiguous_copy(da, scratch["da"])
        if db is not None:
            calls += self.bias_calls(db, da, scratch, first)
        if dw is not None:
            calls += self._filter_calls(dw, da, x[part], scratch, first)
        if dx is None:
            return calls
        dx, spare = dx[part], scratch["dx_part"][: len(da)]
        target = dx if dx.flags.c_contiguous else spare
        back = self.flipped(w.shape)
        if back is not None and self.flips(w.shape):
            own = {
                name.removeprefix("back_"): array
                for name, array in scratch.items()
                if name.startswith("back_")
            }
            for few in back.parts(da.shape, scratch["flipped"].shape):
                calls += back.forward_part(target[few], da[few], scratch["flipped"], None, own)
        else:
            calls += self.image_calls(target, da, w, scratch)
        return calls if target is dx else [*calls, copy_call(dx, target)]

    def bias_calls(
        self, db: Array, da: Array, scratch: dict[str, Array], first: bool
    ) -> list[Call]:
        """db += sum da; db = sum da at the first part."""
        pixels, part = da.reshape(-1, da.shape[3]), scratch["db_part"]
        return _accumulate(
            product_call(scratch["ones"][: len(pixels)], pixels, part), part, db, first
        )

    def _filter_calls(
        self, dw: Array, da: Array, x: Array, scratch: dict[str, Array], first: bool
    ) -> list[Call]:
        """dw += columns^T da; dw = columns^T da at the first part."""
        calls, seen = self._seen(x, dw.shape, scratch)
        for rows in self._stripes(x.shape, dw.shape):
            more, columns = self._columns(seen[:, rows], scratch["columns"])
            part = scratch["dw_part"]
            product = product_call(
                columns.swapaxes(-1, -2), self._by_group(da[:, rows]), self._by_group(part)
            )
            calls += [*more, *_accumulate(product, part, dw, first and rows.start == 0)]
        return calls

    def image_calls(self, dx: Array, da: Array, w: Array, scratch: dict[str, Array]) -> list[Call]:
        """dx: the gradient da w^T of the columns, each element added to its pixel."""
        windows = self.windows(w.shape)
        padded = scratch["dx_padded"][: len(dx)] if windows.pads else dx
        calls: list[Call] = [(padded.fill, (0,), {})]
        seen = self._grouped(windows.view(padded))
        for rows in self._stripes(dx.shape, w.shape):
            columns, spread = self._spread(seen[:, rows], scratch["columns"])
            filters, pixels = self._by_group(w), self._by_group(da[:, rows])
            if columns.flags.c_contiguous:
                calls.append(product_call(pixels, filters.swapaxes(-1, -2), columns))
            else:
                calls.append(
                    product_call(filters, pixels.swapaxes(-1, -2), columns.swapaxes(-1, -2))
                )
            calls += self.scatter(padded, seen[:, rows], spread, rows)
        if windows.pads:
            calls.append(copy_call(dx, windows.middle(padded, *dx.shape[1:3])))
        return calls

    def scatter(self, padded: Array, seen: Array, spread: Array, rows: slice) -> list[Call]:
        """The calls that add each element of the columns to its pixel.

        Args:
            padded: The images.
            seen: Their windows, a view.
            spread: The columns in the order of `seen`.
            rows: Which rows of windows these are.
        """
        kernel = np.ndindex(*seen.shape[3:5])
        return [
            (np.add, (seen[:, :, :, i, j], spread[:, :, :, i, j], seen[:, :, :, i, j]), {})
            for i, j in kernel
        ]

    def _seen(self, x: Array, w: Shape, scratch: dict[str, Array]) -> tuple[list[Call], Array]:
        """The windows (n, p, q, i, j, group, c) of x, and the calls that they need before."""
        windows = self.windows(w)
        if not windows.pads:
            return [], self._grouped(windows.view(x))
        padded = scratch["padded"][: len(x)]
        copy = copy_call(windows.middle(padded, *x.shape[1:3]), x)
        return [copy], self._grouped(windows.view(padded))

    def _columns(self, seen: Array, room: Array) -> tuple[list[Call], Array]:
        """The windows as a matrix (windows, elements), with groups as a stack of matrices.

        Nothing is copied where they already are one in memory.
        """
        if seen.shape[3:5] == (1, 1) and seen.flags.c_contiguous:
            return [], self._by_group(seen.reshape(-1, seen.shape[5] * seen.shape[6]))
        columns, spread = self._spread(seen, room)
        return [copy_call(spread, seen)], columns

    def _spread(self, seen: Array, room: Array) -> tuple[Array, Array]:
        """Two views of `room`: the columns of these windows, and the same in the order of `seen`.

        Columns of few channels are stored transposed: whole rows of windows are copied at once.
        """
        n, down, across, kh, kw, groups, c = seen.shape
        room = room[: seen.size]
        if c > NARROW:
            spread = room.reshape(groups, n, down, across, kh, kw, c).transpose(1, 2, 3, 4, 5, 0, 6)
            columns = room.reshape(groups, n * down * across, kh * kw * c)
        else:
            spread = room.reshape(groups, kh, kw, c, n, down, across).transpose(4, 5, 6, 1, 2, 0, 3)
            columns = room.reshape(groups, kh * kw * c, n * down * across).swapaxes(1, 2)
        return columns if groups > 1 else columns[0], spread

    def _grouped(self, seen: Array) -> Array:
        """The windows with their channels divided by group, a view."""
        return seen.reshape(*seen.shape[:-1], self.groups, seen.shape[-1] // self.groups)

    def _by_group(self, x: Array) -> Array:
        """(..., o) as a matrix (rows, o), or with groups as a stack of matrices; a view."""
        rows = x.reshape(-1, x.shape[-1])
        return rows if self.groups == 1 else rows.reshape(len(rows), self.groups, -1).swapaxes(0, 1)

    def _stripes(self, x: Shape, w: Shape) -> Iterator[slice]:
        """The rows of windows that are computed at a time: all, unless one image is too large."""
        return in_parts(self.infer(x, w)[1], self._rows(x, w))


@jit
def _scatter_loop(padded: Array, columns: Array, start: int, stride: Pair, dilation: Pair) -> None:
    """padded (n, h, w, groups c), columns (groups, n, p, q, i, j, c), p from start on."""
    groups, n, down, across, kh, kw, c = columns.shape
    for g in range(groups):
        for a in range(n):
            for p in range(down):
                for q in range(across):
                    for i in range(kh):
                        row = (start + p) * stride[0] + i * dilation[0]
                        for j in range(kw):
                            column = q * stride[1] + j * dilation[1]
                            for k in range(c):
                                padded[a, row, column, g * c + k] += columns[g, a, p, q, i, j, k]


@compiles(Convolution)
class CompiledConvolution(Convolution):
    """The gradient of the columns is scattered in one loop, which also pays where c < o."""

    def flips(self, w: Shape) -> bool:
        return super().flips(w) and (w[:2] == (1, 1) or w[2] <= NARROW or w[2] >= w[3])

    def scatter(self, padded: Array, seen: Array, spread: Array, rows: slice) -> list[Call]:
        columns = spread.transpose(5, 0, 1, 2, 3, 4, 6)
        if not columns.flags.c_contiguous:
            return super().scatter(padded, seen, spread, rows)
        return [call(_scatter_loop, padded, columns, rows.start, self.stride, self.dilation)]


def _accumulate(product: Call, part: Array, total: Array, first: bool) -> list[Call]:
    """The call that computes `part`, and the one that adds it to `total`, or copies it at first."""
    return [product, copy_call(total, part) if first else (np.add, (total, part, total), {})]
