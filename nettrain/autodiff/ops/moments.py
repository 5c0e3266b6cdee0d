"""Mean and variance over rows: what batch normalization takes from a batch."""
import math

import numpy as np

from nettrain.autodiff.primitive import Array, Primitive, Scratch, Shape, Slots


class Moments(Primitive):
    """m = sum x / n, v = sum (x - m)^2 / n over all axes but the last;  dx = (dm + 2 (x - m) dv) / n.  x (..., c) -> (m, v) (2, c).

    A value of rows becomes one that all rows share. A planner that shards the rows puts a barrier here: each shard has its own
    moments, and they are merged, weighted by the shards' rows, by the formula of Chan, Golub & LeVeque 1983, eq. 2.1.
    """

    reads = (0, "out", "ones")

    def infer(self, *shapes: Shape) -> Shape:
        """(2, c)."""
        shape = shapes[0]
        if len(shape) < 2 or 0 in shape:
            raise ValueError(f"moments: want at least one row of at least one channel, got the shape {shape}")
        return (2, shape[-1])

    def scratch(self, *shapes: Shape) -> Scratch:
        """centred: x - m and its square; ones: 1 for each row, to sum rows by a product (3 times as fast as a sum over an axis)."""
        return {"centred": (shapes[0], None), "ones": ((math.prod(shapes[0][:-1]),), None)}

    def forward(self, out: Array, x: Array, *, centred: Array, ones: Array) -> None:
        ones.fill(1)
        mean, variance = out
        self._mean(x, ones, mean)
        np.subtract(x, mean, out=centred)
        centred *= centred
        self._mean(centred, ones, variance)

    def _mean(self, x: Array, ones: Array, out: Array) -> None:
        np.matmul(ones, x.reshape(-1, x.shape[-1]), out=out)
        out /= len(ones)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array, *, centred: Array, ones: Array) -> None:
        dx, (mean, _), (dm, dv) = grads[0], out, dy
        np.subtract(x, mean, out=dx)
        dx *= 2 * dv
        dx += dm
        dx /= len(ones)

    def tangent(self, dout: Array, dinputs: Slots, out: Array, x: Array, *, centred: Array, ones: Array) -> None:
        """J dx: dm = mean dx, dv = 2 mean (x - m) dx."""
        self._mean(dinputs[0], ones, dout[0])
        np.subtract(x, out[0], out=centred)
        centred *= dinputs[0]
        self._mean(centred, ones, dout[1])
        dout[1] *= 2
