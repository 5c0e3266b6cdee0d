"""Windows on images, channels last, and the base of the convolutions."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nettrain.autodiff.primitive import Array, Call, Primitive, Shape, Slots

Pair = tuple[int, int]


def copy_call(out: Array, x: Array) -> Call:
    """out = x."""
    return np.copyto, (out, x), {}


def contiguous_copy(x: Array, copy: Array) -> tuple[list[Call], Array]:
    """x if it is contiguous, else the call that copies it into `copy`, and that copy."""
    if x.flags.c_contiguous:
        return [], x
    return [copy_call(copy[: len(x)], x)], copy[: len(x)]


def in_parts(n: int, size: int) -> Iterator[slice]:
    """n images, `size` at a time."""
    step = size or 1
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


@dataclass(frozen=True)
class Windows:
    """The windows of a kernel on images (n, h, w, c) with zeros around them.

    Attributes:
        kernel: Height and width.
        stride: Distance of neighbouring windows.
        padding: Zeros at (top, bottom), (left, right).
        dilation: Distance of neighbouring elements of the kernel.
    """

    kernel: Pair
    stride: Pair
    padding: tuple[Pair, Pair]
    dilation: Pair

    @property
    def pads(self) -> bool:
        """Whether there are zeros around the images."""
        return self.padding != ((0, 0), (0, 0))

    @property
    def reach(self) -> Pair:
        """Height and width that the kernel covers."""
        (kh, kw), (dh, dw) = self.kernel, self.dilation
        return dh * (kh - 1) + 1, dw * (kw - 1) + 1

    def surrounded(self, h: int, w: int) -> Pair:
        """Height and width with the zeros."""
        (top, bottom), (left, right) = self.padding
        return h + top + bottom, w + left + right

    def grid(self, h: int, w: int) -> Pair:
        """The number of windows down and across; 0 or less where the kernel does not fit."""
        sizes = zip(self.surrounded(h, w), self.reach, self.stride, strict=True)
        down, across = ((size - reach) // stride + 1 for size, reach, stride in sizes)
        return down, across

    def middle(self, padded: Array, h: int, w: int) -> Array:
        """The view of the images (h, w) without the zeros around them."""
        (top, _), (left, _) = self.padding
        return padded[:, top : top + h, left : left + w]

    def view(self, padded: Array) -> Array:
        """(n, p, q, i, j, c): element (i, j) of window (p, q), as a view of images with zeros."""
        (sh, sw), (dh, dw) = self.stride, self.dilation
        seen = sliding_window_view(padded, self.reach, axis=(1, 2), writeable=True)
        return seen[:, ::sh, ::sw, :, ::dh, ::dw].transpose(0, 1, 2, 4, 5, 3)


@dataclass(frozen=True)
class Filtering(Primitive):
    """The base of operations y = x * w + b, linear in the images x and in the filters w.

    x (n, h, w, c), w (kh, kw, ..., o), b (o,), which may be left out -> y (n, p, q, o).

    Attributes:
        stride: Distance of neighbouring windows, down and across.
        padding: Zeros at (top, bottom), (left, right).
        dilation: Distance of neighbouring elements of the kernel, down and across.
    """

    stride: Pair = (1, 1)
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0))
    dilation: Pair = (1, 1)
    reads = (0, 1)

    @property
    @abstractmethod
    def title(self) -> str:
        """What messages call it."""

    @abstractmethod
    def fits(self, c: int, w: Shape) -> bool:
        """Whether filters of this shape fit images of c channels."""

    @abstractmethod
    def images(self, x: Shape, w: Shape) -> int:
        """The number of images that are computed at a time, so that they stay in the cache."""

    def infer(self, *shapes: Shape) -> Shape:
        """(n, p, q, o)."""
        x, w, *b = shapes
        if len(x) != 4 or len(w) != 4 or not self.fits(x[3], w) or (b and b[0] != w[3:]):
            filters = " and ".join(map(str, shapes[1:]))
            raise ValueError(f"{self.title}: images {x} and filters {filters} do not fit")
        down, across = self.windows(w).grid(*x[1:3])
        if down < 1 or across < 1:
            raise ValueError(
                f"{self.title}: a kernel {w[:2]} does not fit on images {x} "
                f"with padding {self.padding}"
            )
        return (x[0], down, across, w[3])

    def windows(self, w: Shape) -> Windows:
        """The windows of filters (kh, kw, ..., o)."""
        return Windows((w[0], w[1]), self.stride, self.padding, self.dilation)

    def parts(self, x: Shape, w: Shape) -> Iterator[slice]:
        """The images that are computed at a time."""
        return in_parts(x[0], self.images(x, w))

    def tangent(
        self,
        dout: Array,
        dinputs: Slots,
        out: Array,
        x: Array,
        w: Array,
        b: Array | None = None,
        **scratch: Any,
    ) -> None:
        """J (dx, dw, db) = dx * w + x * dw + db."""
        dx, dw, db = (*dinputs, None)[:3]
        dout[...] = 0
        part = np.empty_like(dout)
        for images, filters in ((dx, w), (x, dw)):
            if images is not None and filters is not None:
                self.forward(part, images, filters, **scratch)
                dout += part
        if db is not None:
            dout += db
