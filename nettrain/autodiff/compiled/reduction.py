"""Twin of the sum."""

from nettrain.autodiff.compiled._twin import Twin, call
from nettrain.autodiff.ops import reduction
from nettrain.autodiff.primitive import Array, Call
from nettrain.jit import jit, jit_sum


@jit_sum
def total(x: Array, i: int) -> float:
    """The sum of row i."""
    found = x.dtype.type(0)
    for j in range(x.shape[1]):
        found += x[i, j]
    return found


@jit
def _totals(out: Array, x: Array) -> None:
    for i in range(x.shape[0]):
        out[i] = total(x, i)


class Sum(Twin, reduction.Sum):
    """All sums in one loop: half a microsecond less, for a few numbers."""

    def forward_calls(self, out: Array, x: Array) -> list[Call]:
        if not x.flags.c_contiguous:
            return super().forward_calls(out, x)
        return [call(_totals, out.reshape(-1), x.reshape(out.size, x.shape[-1]))]
