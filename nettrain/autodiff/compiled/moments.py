"""Twin of a batch's moments."""

from nettrain.autodiff.compiled._twin import Twin, call, rows
from nettrain.autodiff.ops import moments
from nettrain.autodiff.primitive import Array, Call, Slots
from nettrain.jit import jit

BLOCK = 128  # rows that are added up by themselves: sums of 50,000 rows would lose three digits of float32 one after the other


@jit
def _moments(out: Array, x: Array, work: Array) -> None:
    n, c = x.shape
    count, part, mean, variance = x.dtype.type(n), work[0], out[0], out[1]
    mean[:] = 0
    variance[:] = 0
    for start in range(0, n, BLOCK):
        part[:] = 0
        for i in range(start, min(start + BLOCK, n)):
            for j in range(c):
                part[j] += x[i, j]
        for j in range(c):
            mean[j] += part[j]
    for j in range(c):
        mean[j] /= count
    for start in range(0, n, BLOCK):
        part[:] = 0
        for i in range(start, min(start + BLOCK, n)):
            for j in range(c):
                d = x[i, j] - mean[j]
                part[j] += d * d
        for j in range(c):
            variance[j] += part[j]
    for j in range(c):
        variance[j] /= count


@jit
def _back_moments(dx: Array, dm: Array, dv: Array, x: Array, mean: Array) -> None:
    n, c = x.shape
    count, two = x.dtype.type(n), x.dtype.type(2)
    for i in range(n):
        for j in range(c):
            dx[i, j] = ((x[i, j] - mean[j]) * (two * dv[j]) + dm[j]) / count


class Moments(Twin, moments.Moments):
    """Two passes over x on the way forward, one on the way back."""

    reads = (0, "out")  # not `ones`

    def forward_calls(self, out: Array, x: Array, **scratch: Array) -> list[Call]:
        if not x.flags.c_contiguous:
            return super().forward_calls(out, x, **scratch)
        return [call(_moments, out, rows(x), rows(scratch["centred"]))]

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, **scratch: Array
    ) -> list[Call]:
        if not (x.flags.c_contiguous and grads[0].flags.c_contiguous):
            return super().backward_calls(grads, dy, out, x, **scratch)
        return [call(_back_moments, rows(grads[0]), dy[0], dy[1], rows(x), out[0])]

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, x: Array, *, centred: Array, ones: Array
    ) -> None:
        """As it is, with the ones that no loop needs."""
        ones.fill(1)
        super().tangent(dout, dinputs, out, x, centred=centred, ones=ones)
