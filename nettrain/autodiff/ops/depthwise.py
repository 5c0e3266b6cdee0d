"""Depthwise convolution: each channel has filters of its own."""

from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.ops.windows import Filtering, Windows
from nettrain.autodiff.primitive import Array, Scratch, Shape, Slots

CACHE = 96 * 1024  # numbers that are worked on at a time


@dataclass(frozen=True)
class Depthwise(Filtering):
    """y[p, q, c k + m] = b + sum_ij x[p s + i d - top, q s + j d - left, c] w[i, j, 0, c k + m].

    k filters per channel: a convolution with as many groups as channels. Its matrix products would
    be small, so each element of the kernel is multiplied with all windows at once, a few images at
    a time.  x (n, h, w, c), w (kh, kw, 1, c k), b (c k,) or none -> y (n, p, q, c k).
    """

    title = "depthwise convolution"

    def fits(self, c: int, w: Shape) -> bool:
        return w[2] == 1 and c > 0 and w[3] % c == 0

    def images(self, x: Shape, w: Shape) -> int:
        _, down, across, o = self.infer(x, w)
        return min(x[0], max(1, CACHE // (o * (x[1] * x[2] + 2 * down * across))))

    def scratch(self, *shapes: Shape) -> Scratch:
        """padded: images with zeros around them, each channel k times; ones, part: for sums."""
        x, w = shapes[:2]
        (_, down, across, o), m = self.infer(*shapes), self.images(x, w)
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
    """(n, h, w, c k) as a view (n, h, w, c, k)."""
    *rest, o = images.shape
    step = images.strides[-1]
    return np.lib.stride_tricks.as_strided(
        images, (*rest, c, o // c), (*images.strides[:-1], o // c * step, step)
    )
