"""Twin of the convolution by windows: what columns give back to the images in one loop, where that costs less than another convolution."""

from typing import Any

from nettrain.autodiff.compiled._twin import Twin, call
from nettrain.autodiff.ops import convolution
from nettrain.autodiff.ops.windows import Pair
from nettrain.autodiff.primitive import Array, Call, Shape
from nettrain.jit import jit


@jit
def _put_back(padded: Array, columns: Array, start: int, stride: Pair, dilation: Pair) -> None:
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


class Convolution(Twin, convolution.Convolution):
    """The gradient of images where there is a stride, or more than a few channels but fewer than filters."""

    def forward_calls(self, *args: Any, **scratch: Any) -> list[Call]:
        return convolution.Convolution.forward_calls(self, *args, **scratch)

    def backward_calls(self, *args: Any, **scratch: Any) -> list[Call]:
        return convolution.Convolution.backward_calls(self, *args, **scratch)

    def turns(self, w: Shape) -> bool:
        return super().turns(w) and (w[:2] == (1, 1) or w[2] <= convolution.NARROW or w[2] >= w[3])

    def put_back(self, padded: Array, seen: Array, spread: Array, rows: slice) -> list[Call]:
        columns = spread.transpose(5, 0, 1, 2, 3, 4, 6)
        if not columns.flags.c_contiguous or not padded.flags.c_contiguous:
            return super().put_back(padded, seen, spread, rows)
        return [call(_put_back, padded, columns, rows.start, self.stride, self.dilation)]
