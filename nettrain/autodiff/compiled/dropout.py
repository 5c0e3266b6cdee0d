"""Twin of dropout."""

import numpy as np

from nettrain.autodiff.compiled._twin import Twin, call
from nettrain.autodiff.ops import dropout
from nettrain.autodiff.primitive import Array, Call, Slots
from nettrain.jit import jit


@jit
def _drop(out: Array, x: Array, mask: Array, share: float) -> None:
    kind = mask.dtype.type
    least, scale, zero = kind(share), kind(1 / (1 - share)), kind(0)
    for i in range(mask.size):
        mask[i] = scale if mask[i] >= least else zero
        out[i] = x[i] * mask[i]


class Dropout(Twin, dropout.Dropout):
    """The generator's own numbers, then mask and product in one loop."""

    def forward_calls(self, out: Array, x: Array, *, mask: Array) -> list[Call]:
        if not x.flags.c_contiguous:
            return super().forward_calls(out, x, mask=mask)
        draw: Call = (self.generator.random, (), {"dtype": mask.dtype.type, "out": mask})
        return [draw, call(_drop, out.reshape(-1), x.reshape(-1), mask.reshape(-1), self.share)]

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, *, mask: Array
    ) -> list[Call]:
        return [(np.multiply, (dy, mask, grads[0]), {})]
