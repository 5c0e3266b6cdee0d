"""Convolution of images, channels last: their windows copied to columns, a few images at a time, times the filters."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.compiled import call, compiles
from nettrain.autodiff.ops.matmul import product_call
from nettrain.autodiff.ops.windows import Filtering, Pair, Windows, copy_call
from nettrain.autodiff.primitive import Array, Call, Scratch, Shape, Slots, make_calls
from nettrain.jit import jit

CACHE = (
    192 * 1024
)  # numbers that a part of the work may hold: 768 KB of float32 stay in the cache of a core
NARROW = (
    4  # channels up to which a window is too short to be copied as a run: whole rows of windows are
)


@dataclass(frozen=True)
class Convolution(Filtering):
    """y[p, q, o] = b[o] + sum_ijc x[p s + i d - top, q s + j d - left, c] w[i, j, c, o], x being 0 outside (no flip: a correlation).

    dw = columns^T dy, db = sum dy, dx the convolution of dy with the filters turned round. With groups, each of them is a convolution
    of its own part of the channels.  x (n, h, w, c), w (kh, kw, c / groups, o), b (o,), which may be left out -> y (n, p, q, o).
    The columns (windows, kh kw c) of a few images at a time stay in the cache; made anew for dw they cost less than if they were kept.

    padding  zeros at (top, bottom), (left, right)
    """

    stride: Pair = (1, 1)
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0))
    dilation: Pair = (1, 1)
    groups: int = 1
    reads = (0, 1)

    def infer(self, *shapes: Shape) -> Shape:
        """(n, p, q, o)."""
        x, w, *b = shapes
        if (
            len(x) != 4
            or len(w) != 4
            or x[3] != self.groups * w[2]
            or w[3] % self.groups
            or (b and b[0] != w[3:])
        ):
            groups = f" in {self.groups} groups" if self.groups > 1 else ""
            raise ValueError(
                f"convolution: images {x} and filters {' and '.join(map(str, shapes[1:]))} do not fit{groups}"
            )
        down, across = self.windows(w).grid(*x[1:3])
        if down < 1 or across < 1:
            raise ValueError(
                f"convolution: a kernel {w[:2]} does not fit on images {x} with padding {self.padding}"
            )
        return (x[0], down, across, w[3])

    def windows(self, w: Shape) -> Windows:
        """Of filters (kh, kw, c / groups, o)."""
        return Windows((w[0], w[1]), self.stride, self.padding, self.dilation)

    def images(self, x: Shape, w: Shape) -> int:
        """How many are worked on at a time: a function of the size of one."""
        _, down, across, o = self.infer(x, w)
        return min(x[0], max(1, CACHE // (down * across * (w[0] * w[1] * x[3] + o))))

    def parts(self, x: Shape, w: Shape) -> Iterator[slice]:
        """The images that are worked on at a time."""
        step = self.images(x, w) or 1
        return (slice(start, min(start + step, x[0])) for start in range(0, x[0], step))

    def _rows(self, x: Shape, w: Shape) -> int:
        """How many rows of windows of one image are worked on at a time."""
        _, down, across, o = self.infer(x, w)
        return min(down, max(1, 4 * CACHE // (across * (w[0] * w[1] * x[3] + o))))

    def turned(self, w: Shape) -> "Convolution | None":
        """The convolution that makes dx of dy and of the filters turned round, where there is one."""
        (rh, rw), ((top, bottom), (left, right)) = self.windows(w).reach, self.padding
        padding = (rh - 1 - top, rh - 1 - bottom), (rw - 1 - left, rw - 1 - right)
        if self.stride != (1, 1) or self.groups > 1 or min(padding[0] + padding[1]) < 0:
            return None
        return Convolution(padding=padding, dilation=self.dilation)

    def turns(self, w: Shape) -> bool:
        """Whether dx is made by that convolution; else each element of the columns' gradient is added where it came from."""
        return self.turned(w) is not None

    def scratch(self, *shapes: Shape) -> Scratch:
        """padded: images with their zeros; columns; filters, da, dx_part: contiguous copies where they are wanted; ones, dw_part, db_part:
        for sums; dx_padded; turned: filters turned round; back_columns, back_padded: of their convolution."""
        x, w = shapes[:2]
        m, (_, down, across, o) = self.images(x, w), self.infer(*shapes)
        wanted = self._room(x, w) | {
            "filters": w, "dw_part": w, "db_part": (o,), "ones": (m * down * across,), "da": (m, down, across, o), "dx_part": (m, *x[1:]),
        }  # fmt: skip
        if "padded" in wanted:
            wanted["dx_padded"] = wanted["padded"]
        turned = self.turned(w)
        if turned is not None:
            wanted["turned"] = back = (w[0], w[1], o, x[3])
            wanted |= {
                f"back_{name}": size
                for name, size in turned._room((m, down, across, o), back).items()
            }
        return {name: (size, None) for name, size in wanted.items()}

    def _room(self, x: Shape, w: Shape) -> dict[str, Shape]:
        """What the way forward works in."""
        m, (_, down, across, _), windows = self.images(x, w), self.infer(x, w), self.windows(w)
        rows = m * down if m > 1 else min(m * down, self._rows(x, w))
        room: dict[str, Shape] = {"columns": (rows * across * w[0] * w[1] * x[3],)}
        return room | {"padded": (m, *windows.surrounded(*x[1:3]), x[3])} if windows.pads else room

    def forward(self, out: Array, *inputs: Array, **scratch: Array) -> None:
        make_calls(self.forward_calls(out, *inputs, **scratch))

    def backward(
        self, grads: Slots, dy: Array, out: Array, *inputs: Array, **scratch: Array
    ) -> None:
        make_calls(self.backward_calls(grads, dy, out, *inputs, **scratch))

    def forward_calls(
        self, out: Array, x: Array, w: Array, b: Array | None = None, **scratch: Array
    ) -> list[Call]:
        calls, w = self.begin(w, scratch)
        for part in self.parts(x.shape, w.shape):
            calls += self.forward_part(out[part], x[part], w, b, scratch)
        return calls

    def begin(self, w: Array, scratch: dict[str, Array]) -> tuple[list[Call], Array]:
        """What is to be done before the first part; the filters in contiguous memory."""
        calls: list[Call] = []
        if "padded" in scratch:
            calls.append(
                (scratch["padded"].fill, (0,), {})
            )  # the zeros around the images stay from part to part
        if not w.flags.c_contiguous:
            calls.append(copy_call(scratch["filters"], w))
            w = scratch["filters"]
        return calls, w

    def forward_part(
        self, y: Array, x: Array, w: Array, b: Array | None, scratch: dict[str, Array]
    ) -> list[Call]:
        """The calls that make y of x, some of the images; w, y contiguous."""
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
        """What is to be done before the first part; the filters in contiguous memory."""
        calls, w = self.begin(w, scratch)
        if grads[0] is not None and self.turns(w.shape):
            calls.append(copy_call(scratch["turned"], w[::-1, ::-1].swapaxes(2, 3)))
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
        """The calls that add what some of the images, with the gradient da, give to dw and db, and that make their dx; w contiguous."""
        (dx, dw, db), first = (*grads, None)[:3], part.start == 0
        calls: list[Call] = []
        if not da.flags.c_contiguous:
            kept = scratch["da"][: len(da)]
            calls.append(copy_call(kept, da))
            da = kept
        if db is not None:
            pixels = da.reshape(-1, da.shape[3])
            calls += _added(
                product_call(scratch["ones"][: len(pixels)], pixels, scratch["db_part"]),
                scratch["db_part"],
                db,
                first,
            )
        if dw is not None:
            calls += self._filter_calls(dw, da, x[part], scratch, first)
        if dx is None:
            return calls
        dx, spare = dx[part], scratch["dx_part"][: len(da)]
        made = dx if dx.flags.c_contiguous else spare
        turned = self.turned(w.shape)
        if turned is not None and self.turns(w.shape):
            own = {
                name.removeprefix("back_"): array
                for name, array in scratch.items()
                if name.startswith("back_")
            }
            for few in turned.parts(da.shape, scratch["turned"].shape):
                calls += turned.forward_part(made[few], da[few], scratch["turned"], None, own)
        else:
            calls += self.image_calls(made, da, w, scratch)
        return calls if made is dx else [*calls, copy_call(dx, made)]

    def _filter_calls(
        self, dw: Array, da: Array, x: Array, scratch: dict[str, Array], first: bool
    ) -> list[Call]:
        """dw = columns^T da, added up."""
        calls, seen = self._seen(x, dw.shape, scratch)
        for rows in self._stripes(x.shape, dw.shape):
            more, columns = self._columns(seen[:, rows], scratch["columns"])
            part = scratch["dw_part"]
            product = product_call(
                columns.swapaxes(-1, -2), self._by_group(da[:, rows]), self._by_group(part)
            )
            calls += [*more, *_added(product, part, dw, first and rows.start == 0)]
        return calls

    def image_calls(self, dx: Array, da: Array, w: Array, scratch: dict[str, Array]) -> list[Call]:
        """dx = da w^T, each element of the columns added where it was copied from."""
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
            calls += self.put_back(padded, seen[:, rows], spread, rows)
        return (
            [*calls, copy_call(dx, windows.middle(padded, *dx.shape[1:3]))]
            if windows.pads
            else calls
        )

    def put_back(self, padded: Array, seen: Array, spread: Array, rows: slice) -> list[Call]:
        """The calls that add the columns' elements, spread in the order of the windows that are seen in padded, to where they came from."""
        kernel = np.ndindex(*seen.shape[3:5])
        return [
            (np.add, (seen[:, :, :, i, j], spread[:, :, :, i, j], seen[:, :, :, i, j]), {})
            for i, j in kernel
        ]

    def _seen(self, x: Array, w: Shape, scratch: dict[str, Array]) -> tuple[list[Call], Array]:
        """The windows (n, p, q, i, j, group, c) of x, and what is to be done before they can be seen."""
        windows = self.windows(w)
        if not windows.pads:
            return [], self._grouped(windows.view(x))
        padded = scratch["padded"][: len(x)]
        return [copy_call(windows.middle(padded, *x.shape[1:3]), x)], self._grouped(
            windows.view(padded)
        )

    def _columns(self, seen: Array, room: Array) -> tuple[list[Call], Array]:
        """The windows as a matrix (windows, elements), a stack of them with groups; where they already lie so, nothing is copied."""
        if seen.shape[3:5] == (1, 1) and seen.flags.c_contiguous:
            return [], self._by_group(seen.reshape(-1, seen.shape[5] * seen.shape[6]))
        columns, spread = self._spread(seen, room)
        return [copy_call(spread, seen)], columns

    def _spread(self, seen: Array, room: Array) -> tuple[Array, Array]:
        """Room for the columns of these windows: as a matrix (windows, elements) or a stack of them, and in the order of the windows.

        Windows of few channels lie across, an element of all of them a row: what is copied at a time then is a row of windows.
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
        """The windows' channels by group."""
        *rest, c = seen.shape
        step = seen.strides[-1]
        few = c // self.groups
        return np.lib.stride_tricks.as_strided(
            seen, (*rest, self.groups, few), (*seen.strides[:-1], few * step, step)
        )

    def _by_group(self, x: Array) -> Array:
        """(..., o) as a matrix (rows, o), or with groups as a stack of them, without a copy."""
        rows = x.reshape(-1, x.shape[-1])
        return rows if self.groups == 1 else rows.reshape(len(rows), self.groups, -1).swapaxes(0, 1)

    def _stripes(self, x: Shape, w: Shape) -> Iterator[slice]:
        """The rows of windows that are worked on at a time: all of them, unless one image is too large."""
        down = self.infer(x, w)[1]
        step = self._rows(x, w) if x[0] == 1 else down
        return (slice(start, min(start + step, down)) for start in range(0, down, step))


@jit
def _put_back_loop(padded: Array, columns: Array, start: int, stride: Pair, dilation: Pair) -> None:
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
    """The gradient of images where there is a stride, or more than a few channels but fewer than filters."""

    def turns(self, w: Shape) -> bool:
        return super().turns(w) and (w[:2] == (1, 1) or w[2] <= NARROW or w[2] >= w[3])

    def put_back(self, padded: Array, seen: Array, spread: Array, rows: slice) -> list[Call]:
        columns = spread.transpose(5, 0, 1, 2, 3, 4, 6)
        if not columns.flags.c_contiguous or not padded.flags.c_contiguous:
            return super().put_back(padded, seen, spread, rows)
        return [call(_put_back_loop, padded, columns, rows.start, self.stride, self.dilation)]


def _added(product: Call, part: Array, total: Array, first: bool) -> list[Call]:
    """The call that makes the part, and that which adds it to the total; the first is the total."""
    return [product, copy_call(total, part) if first else (np.add, (total, part, total), {})]
