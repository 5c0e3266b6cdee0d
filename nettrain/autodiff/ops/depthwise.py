"""Convolution of each channel alone, with filters of its own."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.ops.windows import Filtering, Pair, Windows
from nettrain.autodiff.primitive import Array, Scratch, Shape, Slots

CACHE = 96 * 1024  # numbers that a part of the work may hold


@dataclass(frozen=True)
class Depthwise(Filtering):
    """y[p, q, c k + m] = b + sum_ij x[p s + i d - top, q s + j d - left, c] w[i, j, 0, c k + m]: k filters a channel.

    The same as a convolution with as many groups as channels, which would be small products: here each element of the kernel is
    multiplied with all windows at once, a few images at a time.  x (n, h, w, c), w (kh, kw, 1, c k), b (c k,) or none -> y (n, p, q, c k).

    padding  zeros at (top, bottom), (left, right)
    """

    stride: Pair = (1, 1)
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0))
    dilation: Pair = (1, 1)
    reads = (0, 1)

    def infer(self, *shapes: Shape) -> Shape:
        """(n, p, q, c k)."""
        x, w, *b = shapes
        if (
            len(x) != 4
            or len(w) != 4
            or w[2] != 1
            or not x[3]
            or w[3] % x[3]
            or (b and b[0] != w[3:])
        ):
            raise ValueError(
                f"depthwise convolution: images {x} and filters {' and '.join(map(str, shapes[1:]))} do not fit"
            )
        down, across = self.windows(w).grid(*x[1:3])
        if down < 1 or across < 1:
            raise ValueError(
                f"depthwise convolution: a kernel {w[:2]} does not fit on images {x} with padding {self.padding}"
            )
        return (x[0], down, across, w[3])

    def windows(self, w: Shape) -> Windows:
        """Of filters (kh, kw, 1, c k)."""
        return Windows((w[0], w[1]), self.stride, self.padding, self.dilation)

    def parts(self, x: Shape, w: Shape) -> Iterator[slice]:
        """The images that are worked on at a time."""
        step = self._images(x, w) or 1
        return (slice(start, min(start + step, x[0])) for start in range(0, x[0], step))

    def _images(self, x: Shape, w: Shape) -> int:
        _, down, across, o = self.infer(x, w)
        return min(x[0], max(1, CACHE // (o * (x[1] * x[2] + 2 * down * across))))

    def scratch(self, *shapes: Shape) -> Scratch:
        """padded: images with their zeros, each channel k times; work: a product; ones, part: for sums."""
        x, w = shapes[:2]
        (_, down, across, o), m = self.infer(*shapes), self._images(x, w)
        return {
            "padded": ((m, *self.windows(w).surrounded(*x[1:3]), o), None),
            "work": ((m, down, across, o), None),
            "ones": ((m * down * across,), None),
            "part": ((o,), None),
        }

    def forward(
        self,
        out: Array,
        x: Array,
        w: Array,
        b: Array | None = None,
        *,
        padded: Array,
        work: Array,
        **scratch: Array,
    ) -> None:
        windows = self.windows(w.shape)
        padded.fill(0)
        for part in self.parts(x.shape, w.shape):
            y, product = out[part], work[: part.stop - part.start]
            seen = self._seen(windows, x[part], padded)
            for i, j in np.ndindex(*windows.kernel):
                if i == j == 0:
                    np.multiply(seen[:, :, :, 0, 0], w[0, 0, 0], out=y)
                else:
                    y += np.multiply(seen[:, :, :, i, j], w[i, j, 0], out=product)
            if b is not None:
                y += b

    def _seen(self, windows: Windows, x: Array, padded: Array) -> Array:
        """The windows (n, p, q, i, j, c k) of x."""
        if padded.shape[1:] == x.shape[1:]:
            return windows.view(x)
        h, w, c = x.shape[1:]
        middle = windows.middle(padded[: len(x)], h, w)
        np.copyto(_by_channel(middle, c), x[..., None])
        return windows.view(padded[: len(x)])

    def backward(
        self, grads: Slots, dy: Array, out: Array, x: Array, w: Array, b: Array | None = None,
        *, padded: Array, work: Array, ones: Array, part: Array,
    ) -> None:  # fmt: skip
        (dx, dw, db), windows = (*grads, None)[:3], self.windows(w.shape)
        ones.fill(1)
        padded.fill(0)
        for total in (dw, db):
            if total is not None:
                total[...] = 0
        for few in self.parts(x.shape, w.shape):
            da, product = dy[few], work[: few.stop - few.start]
            rows = product.reshape(-1, product.shape[3])
            if db is not None:
                np.copyto(product, da)
                db += np.matmul(ones[: len(rows)], rows, out=part)
            if dw is not None:
                seen = self._seen(windows, x[few], padded)
                for i, j in np.ndindex(*windows.kernel):
                    np.multiply(seen[:, :, :, i, j], da, out=product)
                    dw[i, j, 0] += np.matmul(ones[: len(rows)], rows, out=part)
        if dx is not None:
            for few in self.parts(x.shape, w.shape):
                self._image_gradient(windows, dx[few], dy[few], w, padded, work)

    def _image_gradient(
        self, windows: Windows, dx: Array, da: Array, w: Array, padded: Array, work: Array
    ) -> None:
        direct = padded.shape[1:] == dx.shape[1:]
        total, product = dx if direct else padded[: len(dx)], work[: len(dx)]
        total.fill(0)
        seen = windows.view(total)
        for i, j in np.ndindex(*windows.kernel):
            there = seen[:, :, :, i, j]
            np.multiply(da, w[i, j, 0], out=product)
            np.add(there, product, out=there)
        if not direct:
            h, width, c = dx.shape[1:]
            np.add.reduce(_by_channel(windows.middle(total, h, width), c), axis=-1, out=dx)


def _by_channel(images: Array, c: int) -> Array:
    """(n, h, w, c k) seen as (n, h, w, c, k)."""
    *rest, o = images.shape
    step = images.strides[-1]
    return np.lib.stride_tricks.as_strided(
        images, (*rest, c, o // c), (*images.strides[:-1], o // c * step, step)
    )
