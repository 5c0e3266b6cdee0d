"""Where a kernel stands on images, channels last: what convolution and its gradients have in common."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from nettrain.autodiff.primitive import Array, Call, Primitive, Shape, Slots

Pair = tuple[int, int]


def copy_call(out: Array, x: Array) -> Call:
    """out = x."""
    return np.copyto, (out, x), {}


@dataclass(frozen=True)
class Windows:
    """A kernel on images (n, h, w, c) with zeros around them, moved by `stride`, its elements `dilation` apart.

    padding  zeros at (top, bottom), (left, right)
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
    def plain(self) -> bool:
        """Whether each pixel is a window: a convolution is then one product of the pixels with the filters."""
        return self.kernel == self.stride == (1, 1) and not self.pads

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
        """How many windows there are, down and across; 0 or less where the kernel does not fit."""
        sizes = zip(self.surrounded(h, w), self.reach, self.stride, strict=True)
        down, across = ((size - reach) // stride + 1 for size, reach, stride in sizes)
        return down, across

    def middle(self, padded: Array, h: int, w: int) -> Array:
        """Where the images (h, w) lie among the zeros."""
        (top, _), (left, _) = self.padding
        return padded[:, top : top + h, left : left + w]

    def view(self, padded: Array) -> Array:
        """(n, p, q, i, j, c): element (i, j) of the window at place (p, q), in the memory of images with their zeros."""
        n, h, w, c = padded.shape
        (kh, kw), (sh, sw), (dh, dw) = self.kernel, self.stride, self.dilation
        (rh, rw), (n_step, h_step, w_step, c_step) = self.reach, padded.strides
        shape: Shape = (n, (h - rh) // sh + 1, (w - rw) // sw + 1, kh, kw, c)
        return as_strided(
            padded, shape, (n_step, sh * h_step, sw * w_step, dh * h_step, dw * w_step, c_step)
        )


class Filtering(Primitive):
    """The base of operations y = x * w + b, linear in the images x and in the filters w; b, added to each pixel, may be left out."""

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
