"""A convolution with its pooling and activation: what fusion replaces that sequence by."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nettrain.autodiff.compiled import call, compiled_form, compiles, contiguous, rows
from nettrain.autodiff.ops.convolution import Convolution
from nettrain.autodiff.ops.max_pooling import MaxPool, select_calls
from nettrain.autodiff.ops.selection import Relu
from nettrain.autodiff.ops.windows import copy_call
from nettrain.autodiff.primitive import (
    Array,
    Call,
    DefinedByCalls,
    ElementWise,
    Scratch,
    Shape,
    Slots,
)
from nettrain.jit import jit


@dataclass(frozen=True)
class ConvolutionBlock(DefinedByCalls):
    """y = act(maxpool(x * w + b));  da = dy act'(y) at the first maximum, then dx, dw, db from da.

    Bitwise identical to its operations one after the other. A few images at a time pass through
    all of them while they are in the cache; with a pool, only a mask of the images' size is kept. A
    relu before the pool may as well be applied after it: it keeps the order of all values above 0,
    and where the maximum is 0 there is no gradient.

    Attributes:
        convolution: x * w + b.
        activation: Element-wise; its derivative follows from its output (relu, sigmoid, tanh).
        pool: Its windows neither overlap nor leave gaps.
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
        """That of the convolution, and for the pool: y: its input for the images of a part.

        here: whether each element of a window is the first maximum; left: whether none was so far;
        dz: the gradient of the pool's output; pool_rows: of its forward pass.
        """
        scratch = self.convolution.scratch(*shapes)
        if self.pool is None:
            return scratch
        m, n, *size = self.convolution.images(*shapes[:2]), *self.infer(*shapes)
        y, pooled = (m, *self.convolution.infer(*shapes)[1:]), (m, *size)
        elements = len(list(self._elements()))
        return scratch | {
            "y": (y, None),
            "here": ((elements, n, *size), np.bool_),
            "left": (pooled, np.bool_),
            "dz": (pooled, None),
            "pool_rows": self.pool.scratch(y)["rows"],
        }

    def _elements(self) -> Iterator[tuple[int, int]]:
        """The elements of a window, row by row."""
        return np.ndindex(*self.pool.size) if self.pool is not None else iter(())

    def _seen(self, y: Array, pooled: Array) -> Iterator[Array]:
        """For each element of the windows, row by row, these pixels of all windows."""
        _, down, across, _ = pooled.shape
        high, wide = self.pool.size if self.pool is not None else (1, 1)
        return (y[:, i : down * high : high, j : across * wide : wide] for i, j in self._elements())

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
        """The calls that find the first maximum of each window."""
        for i, seen in enumerate(self._seen(y, pooled)):
            yield np.equal, (seen, pooled, here[i]), {}
            if i == 0:
                yield np.logical_not, (here[i], left), {}
            else:
                yield np.logical_and, (here[i], left, here[i]), {}
                yield np.not_equal, (left, here[i], left), {}  # exclusive or

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
            calls.append((scratch["da"].fill, (0,), {}))  # pixels in no window keep 0
        for part in self.convolution.parts(x.shape, w.shape):
            y, d = out[part], dy[part]
            da = scratch["da"][: len(y)]
            dz = da if self.pool is None else scratch["dz"][: len(y)]
            if self.activation is not None:
                calls += self.activation.backward_calls([dz], d, y, y)
                d = dz
            elif self.pool is None:
                calls.append(copy_call(da, d))
            if self.pool is not None:
                heres = scratch["here"][:, part]
                work = scratch["y"].reshape(-1)[: d.size].reshape(d.shape)
                for here, seen in zip(heres, self._seen(da, y), strict=True):
                    calls += select_calls(d, here, seen, work)
            calls += self.convolution.backward_part(grads, part, da, x, w, scratch)
        return calls

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, *inputs: Array, **scratch: Any
    ) -> None:
        """J dx = act'(y) (that of the convolution at the first maximum)."""
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


@jit
def _shift_loop(y: Array, b: Array, relu: bool) -> None:
    """y + b, or its relu."""
    zero = y.dtype.type(0)
    for i in range(y.shape[0]):
        if relu:
            for j in range(y.shape[1]):
                a = y[i, j] + b[j]
                y[i, j] = zero if a <= zero else a  # NaN stays
        else:
            for j in range(y.shape[1]):
                y[i, j] += b[j]


@jit
def _pool_loop(
    out: Array,
    y: Array,
    b: Array,
    here: Array,
    left: Array,
    start: int,
    high: int,
    wide: int,
    relu: bool,
) -> None:
    """out (n, p, q, o): the maximum of y + b in windows high x wide, or its relu.

    here (high wide, images, p, q, o), filled from image `start` on.
    """
    zero = y.dtype.type(0)
    n, p, q, o = out.shape
    for a in range(n):
        for i in range(p):
            for k in range(q):
                for j in range(o):
                    out[a, i, k, j] = y[a, i * high, k * wide, j] + b[j]
                for e in range(1, high * wide):
                    row, column = i * high + e // wide, k * wide + e % wide
                    for j in range(o):
                        value, best = y[a, row, column, j] + b[j], out[a, i, k, j]
                        larger = value if best == best else best  # NaN stays
                        out[a, i, k, j] = best if value <= best else larger
                for j in range(o):
                    left[a, i, k, j] = True
                for e in range(high * wide):
                    row, column = i * high + e // wide, k * wide + e % wide
                    for j in range(o):
                        first = (y[a, row, column, j] + b[j] == out[a, i, k, j]) & left[a, i, k, j]
                        here[e, start + a, i, k, j] = first
                        left[a, i, k, j] = left[a, i, k, j] & (not first)
                if relu:
                    for j in range(o):
                        best = out[a, i, k, j]
                        out[a, i, k, j] = zero if best <= zero else best


@jit
def _gradient_loop(da: Array, db: Array, dy: Array, y: Array, relu: bool) -> None:
    """da = dy, or dy where the relu y is above 0; db: its sum."""
    zero, one = y.dtype.type(0), y.dtype.type(1)
    for i in range(y.shape[0]):
        if relu:
            for j in range(y.shape[1]):
                a = dy[i, j] * (one if y[i, j] > zero else y[i, j])  # 0 or NaN
                da[i, j] = a
                db[j] += a
        else:
            for j in range(y.shape[1]):
                db[j] += dy[i, j]


@jit
def _pool_gradient_loop(
    da: Array,
    db: Array,
    dz: Array,
    dy: Array,
    y: Array,
    here: Array,
    start: int,
    high: int,
    wide: int,
    relu: bool,
) -> None:
    """da at the first maximum of each window; db: its sum; dz: work for the channels of a pixel."""
    zero, one = y.dtype.type(0), y.dtype.type(1)
    n, p, q, o = y.shape
    for a in range(n):
        for i in range(p):
            for k in range(q):
                for j in range(o):
                    slope = one if not relu or y[a, i, k, j] > zero else y[a, i, k, j]
                    dz[j] = dy[a, i, k, j] * slope
                for e in range(high * wide):
                    row, column = i * high + e // wide, k * wide + e % wide
                    for j in range(o):
                        d = dz[j] if here[e, start + a, i, k, j] else zero
                        da[a, row, column, j] = d
                        db[j] += d


@compiles(ConvolutionBlock)
class CompiledConvolutionBlock(ConvolutionBlock):
    """Bias, pool and relu in one loop, and their gradients in another.

    Other activations run in their own compiled form.
    """

    def forward_calls(
        self, out: Array, x: Array, w: Array, b: Array | None = None, **scratch: Array
    ) -> list[Call]:
        convolution, relu = compiled_form(self.convolution), isinstance(self.activation, Relu)
        assert isinstance(convolution, type(self.convolution))
        bias = np.zeros(w.shape[3], out.dtype) if b is None else b
        if not contiguous(bias):
            return super().forward_calls(out, x, w, b, **scratch)
        calls, w = convolution.begin(w, scratch)
        for part in convolution.parts(x.shape, w.shape):
            pooled = out[part]
            y = pooled if self.pool is None else scratch["y"][: len(pooled)]
            calls += convolution.forward_part(y, x[part], w, None, scratch)
            if self.pool is None:
                calls.append(call(_shift_loop, rows(y), bias, relu))
            else:
                calls.append(
                    call(
                        _pool_loop,
                        pooled,
                        y,
                        bias,
                        scratch["here"],
                        scratch["left"],
                        part.start,
                        *self.pool.size,
                        relu,
                    )
                )
            if self.activation is not None and not relu:
                calls += compiled_form(self.activation).forward_calls(pooled, pooled)
        return calls

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
        (dx, dw, db), relu = (*grads, None)[:3], isinstance(self.activation, Relu)
        if not contiguous(dy, db):
            return super().backward_calls(grads, dy, out, x, w, b, **scratch)
        total = np.empty(w.shape[3], out.dtype) if db is None else db
        convolution = compiled_form(self.convolution)
        assert isinstance(convolution, type(self.convolution))
        calls, w = convolution.begin_back([dx, dw], w, scratch)
        # pixels in no window keep 0
        calls += [(total.fill, (0,), {}), (scratch["da"].fill, (0,), {})]
        for part in convolution.parts(x.shape, w.shape):
            y, d, da = out[part], dy[part], scratch["da"][: part.stop - part.start]
            if self.activation is not None and not relu:
                dz = da if self.pool is None else scratch["dz"][: len(y)]
                calls += compiled_form(self.activation).backward_calls([dz], d, y, y)
                d = dz
            if self.pool is None:
                if self.activation is None:
                    calls.append(copy_call(da, d))
                calls.append(call(_gradient_loop, rows(da), total, rows(d), rows(y), relu))
            else:
                calls.append(
                    call(
                        _pool_gradient_loop,
                        da,
                        total,
                        scratch["db_part"],
                        d,
                        y,
                        scratch["here"],
                        part.start,
                        *self.pool.size,
                        relu,
                    )
                )
            calls += convolution.backward_part([dx, dw], part, da, x, w, scratch)
        return calls
