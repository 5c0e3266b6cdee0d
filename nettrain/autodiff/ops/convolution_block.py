"""A convolution with its activation and pooling, to the same bits: put in by `nettrain.autodiff.plan.fusion` where a step has that sequence."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nettrain.autodiff.ops.convolution import Convolution
from nettrain.autodiff.ops.pooling import MaxPool
from nettrain.autodiff.primitive import (
    Array,
    Call,
    ElementWise,
    Primitive,
    Scratch,
    Shape,
    Slots,
    make,
)


@dataclass(frozen=True)
class ConvolutionBlock(Primitive):
    """y = act(maxpool(x * w + b)), act or maxpool or neither;  da = dy act'(y) at the first largest, and from da dx, dw and db.

    A few images at a time go through all of it in the cache, there and back; with a pool nothing of the image's size is kept but truth
    values. A relu before the pool may as well stand behind it: it changes no order but among what it makes 0, which has no gradient.

    activation  an element-wise operation whose derivative can be told from its output (relu, sigmoid, tanh)
    pool        of windows that neither overlap nor leave gaps
    """

    convolution: Convolution
    activation: ElementWise | None = None
    pool: MaxPool | None = None
    reads = (0, 1, "out", "here")

    def infer(self, *shapes: Shape) -> Shape:
        """That of the convolution, pooled."""
        shape = self.convolution.infer(*shapes)
        return shape if self.pool is None else self.pool.infer(shape)

    def scratch(self, *shapes: Shape) -> Scratch:
        """That of the convolution; y: before the pool, of a part; here: where each element of a window is the first largest; left, dz: of
        a part, whether none was yet, and the gradient behind the pool; pool_rows: of the pool."""
        wanted = self.convolution.scratch(*shapes)
        if self.pool is None:
            return wanted
        m, whole, (n, *place) = (
            self.convolution.images(*shapes[:2]),
            self.convolution.infer(*shapes),
            self.infer(*shapes),
        )
        y = (m, *whole[1:])
        pooled = (m, *place)
        return wanted | {
            "y": (y, None), "dz": (pooled, None), "pool_rows": self.pool.scratch(y)["rows"],
            "here": ((len(list(self._elements())), n, *place), np.bool_), "left": (pooled, np.bool_),
        }  # fmt: skip

    def _elements(self) -> Iterator[tuple[int, int]]:
        """Of a window, row by row."""
        return np.ndindex(*self.pool.size) if self.pool is not None else iter(())

    def _seen(self, y: Array, pooled: Array) -> Iterator[Array]:
        """The pixels that are the same element of each window, row by row."""
        (_, down, across, _), (high, wide) = (
            pooled.shape,
            self.pool.size if self.pool is not None else (1, 1),
        )
        return (y[:, i : down * high : high, j : across * wide : wide] for i, j in self._elements())

    def forward(self, out: Array, *inputs: Array, **scratch: Array) -> None:
        make(self.forward_calls(out, *inputs, **scratch))

    def backward(
        self, grads: Slots, dy: Array, out: Array, *inputs: Array, **scratch: Array
    ) -> None:
        make(self.backward_calls(grads, dy, out, *inputs, **scratch))

    def forward_calls(
        self, out: Array, x: Array, w: Array, b: Array | None = None, **scratch: Array
    ) -> list[Call]:
        calls, w = self.convolution.begin(w, scratch)
        for part in self.convolution.parts(x.shape, w.shape):
            pooled = out[part]
            y = pooled if self.pool is None else scratch["y"][: len(pooled)]
            calls += self.convolution.forward_part(y, x[part], w, b, scratch)
            if self.pool is not None:
                calls += self.pool.forward_calls(pooled, y, rows=scratch["pool_rows"])
                calls += self._choices(
                    y, pooled, scratch["here"][:, part], scratch["left"][: len(pooled)]
                )
            if self.activation is not None:
                calls += self.activation.forward_calls(pooled, pooled)
        return calls

    def _choices(self, y: Array, pooled: Array, here: Array, left: Array) -> Iterator[Call]:
        """The calls that find the first largest element of each window."""
        for i, seen in enumerate(self._seen(y, pooled)):
            yield np.equal, (seen, pooled, here[i]), {}
            if i == 0:
                yield np.logical_not, (here[i], left), {}
            else:
                yield np.logical_and, (here[i], left, here[i]), {}
                yield np.not_equal, (left, here[i], left), {}  # of truth values: one of the two

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
        calls, w = self.convolution.begin_back(grads, w, scratch)
        if self.pool is not None:
            calls.append((scratch["da"].fill, (0,), {}))  # what lies in no window stays 0
        for part in self.convolution.parts(x.shape, w.shape):
            y, d = out[part], dy[part]
            da = scratch["da"][: len(y)]
            dz = da if self.pool is None else scratch["dz"][: len(y)]
            if self.activation is not None:
                calls += self.activation.backward_calls([dz], d, y, y)
                d = dz
            if self.pool is not None:
                heres = scratch["here"][:, part]
                calls += [
                    (np.multiply, (d, here, seen), {})
                    for here, seen in zip(heres, self._seen(da, y), strict=True)
                ]
            calls += self.convolution.backward_part(grads, part, da, x, w, scratch)
        return calls

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, *inputs: Array, **scratch: Any
    ) -> None:
        """J dx = act'(y) (that of the convolution at the first largest)."""
        total = np.empty(self.convolution.infer(*[x.shape for x in inputs]), dout.dtype)
        self.convolution.tangent(total, dinputs, out, *inputs, **scratch)
        if self.pool is not None:
            picked = [
                np.where(here, seen, 0)
                for here, seen in zip(scratch["here"], self._seen(total, out), strict=True)
            ]
            total = np.add.reduce(picked)
        if self.activation is None:
            dout[...] = total
        else:
            self.activation.backward([dout], total, out, out)
