"""A convolution with its pooling and activation: what fusion replaces that sequence by."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nettrain.autodiff.compiled import call, compiled_form, compiles, contiguous, rows
from nettrain.autodiff.ops.convolution import Convolution
from nettrain.autodiff.ops.max_pooling import MaxPool, select_calls
from nettrain.autodiff.ops.selection import Relu
from nettrain.autodiff.ops.windows import Pair, copy_call
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
        return scratch | {
            "y": (y, None),
            "here": ((math.prod(self.pool.size), n, *size), np.bool_),
            "left": (pooled, np.bool_),
            "dz": (pooled, None),
            "pool_rows": self.pool.scratch(y)["rows"],
        }

    def kernel(self) -> Convolution:
        """The convolution whose calls are made."""
        return self.convolution

    def forward_calls(
        self, out: Array, x: Array, w: Array, b: Array | None = None, **scratch: Array
    ) -> list[Call]:
        kernel = self.kernel()
        calls, w = kernel.begin(w, scratch)
        for part in kernel.parts(x.shape, w.shape):
            y = out[part]
            before = y if self.pool is None else scratch["y"][: len(y)]
            calls += kernel.forward_part(before, x[part], w, None, scratch)
            calls += self.output(y, before, b, part, scratch)
        return calls

    def output(
        self, y: Array, before: Array, b: Array | None, part: slice, scratch: dict[str, Array]
    ) -> list[Call]:
        """The calls that compute y from x * w, which `before` holds: bias, pool, activation."""
        calls: list[Call] = [] if b is None else [(np.add, (before, b, before), {})]
        if self.pool is not None:
            calls += self.pool.forward_calls(y, before, rows=scratch["pool_rows"])
            seen = _elements(before, y, self.pool.size)
            calls += _choices(seen, y, scratch["here"][:, part], scratch["left"][: len(y)])
        if self.activation is not None:
            calls += self.activation.forward_calls(y, y)
        return calls

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, w: Array, b: Array | None = None,
        **scratch: Array,
    ) -> list[Call]:  # fmt: skip
        def gradient(da: Array, part: slice) -> list[Call]:
            return self._gradient(da, dy[part], out[part], part, scratch)

        return self.backward_by(gradient, grads, x, w, scratch)

    def backward_by(
        self,
        gradient: Callable[[Array, slice], list[Call]],
        grads: Slots,
        x: Array,
        w: Array,
        scratch: dict[str, Array],
    ) -> list[Call]:
        """The calls of the backward pass; gradient(da, part) gives those that compute da."""
        kernel = self.kernel()
        calls, w = kernel.begin_back(grads, w, scratch)
        if self.pool is not None:
            calls.append((scratch["da"].fill, (0,), {}))  # pixels in no window keep 0
        for part in kernel.parts(x.shape, w.shape):
            da = scratch["da"][: part.stop - part.start]
            calls += gradient(da, part)
            calls += kernel.backward_part(grads, part, da, x, w, scratch)
        return calls

    def _gradient(
        self, da: Array, dy: Array, y: Array, part: slice, scratch: dict[str, Array]
    ) -> list[Call]:
        """The calls that compute da, the gradient of x * w + b, for the images of a part."""
        calls: list[Call] = []
        dz = da if self.pool is None else scratch["dz"][: len(y)]
        if self.activation is not None:
            calls += self.activation.backward_calls([dz], dy, y, y)
            dy = dz
        elif self.pool is None:
            calls.append(copy_call(da, dy))
        if self.pool is not None:
            work = scratch["y"].reshape(-1)[: dy.size].reshape(dy.shape)
            elements = _elements(da, y, self.pool.size)
            for here, seen in zip(scratch["here"][:, part], elements, strict=True):
                calls += select_calls(dy, here, seen, work)
        return calls

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, *inputs: Array, **scratch: Any
    ) -> None:
        """J dx = act'(y) (that of the convolution at the first maximum)."""
        total = np.empty(self.convolution.infer(*[x.shape for x in inputs]), dout.dtype)
        self.convolution.tangent(total, dinputs, out, *inputs, **scratch)
        if self.pool is not None:
            elements = _elements(total, out, self.pool.size)
            picked = [
                np.where(here, seen, 0)
                for here, seen in zip(scratch["here"], elements, strict=True)
            ]
            total = np.add.reduce(picked)
        if self.activation is None:
            dout[...] = total
        else:
            self.activation.backward([dout], total, out, out)


def _elements(y: Array, pooled: Array, size: Pair) -> Iterator[Array]:
    """For each element of a window, row by row, these pixels of all windows."""
    (_, down, across, _), (high, wide) = pooled.shape, size
    return (y[:, i : down * high : high, j : across * wide : wide] for i, j in np.ndindex(*size))


def _choices(elements: Iterator[Array], pooled: Array, here: Array, left: Array) -> Iterator[Call]:
    """The calls that find the first maximum of each window."""
    for i, seen in enumerate(elements):
        yield np.equal, (seen, pooled, here[i]), {}
        if i == 0:
            yield np.logical_not, (here[i], left), {}
        else:
            yield np.logical_and, (here[i], left, here[i]), {}
            yield np.not_equal, (left, here[i], left), {}  # exclusive or


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

    def kernel(self) -> Convolution:
        form = compiled_form(self.convolution)
        assert isinstance(form, Convolution)
        return form

    def output(
        self, y: Array, before: Array, b: Array | None, part: slice, scratch: dict[str, Array]
    ) -> list[Call]:
        relu = isinstance(self.activation, Relu)
        bias = np.zeros(y.shape[3], y.dtype) if b is None else b
        if not contiguous(bias):
            return super().output(y, before, b, part, scratch)
        if self.pool is None:
            calls = [call(_shift_loop, rows(y), bias, relu)]
        else:
            here, left, size = scratch["here"], scratch["left"], self.pool.size
            calls = [call(_pool_loop, y, before, bias, here, left, part.start, *size, relu)]
        if self.activation is not None and not relu:
            calls += compiled_form(self.activation).forward_calls(y, y)
        return calls

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, w: Array, b: Array | None = None,
        **scratch: Array,
    ) -> list[Call]:  # fmt: skip
        dx, dw, db = (*grads, None)[:3]
        if not contiguous(dy, db):
            return super().backward_calls(grads, dy, out, x, w, b, **scratch)
        total = np.empty(w.shape[3], out.dtype) if db is None else db

        def gradient(da: Array, part: slice) -> list[Call]:
            return self._loops(da, total, dy[part], out[part], part, scratch)

        return [(total.fill, (0,), {}), *self.backward_by(gradient, [dx, dw], x, w, scratch)]

    def _loops(
        self, da: Array, db: Array, dy: Array, y: Array, part: slice, scratch: dict[str, Array]
    ) -> list[Call]:
        """The calls that compute da and add its sum to db, for the images of a part."""
        relu = isinstance(self.activation, Relu)
        calls: list[Call] = []
        if self.activation is not None and not relu:
            dz = da if self.pool is None else scratch["dz"][: len(y)]
            calls += compiled_form(self.activation).backward_calls([dz], dy, y, y)
            dy = dz
        if self.pool is not None:
            here, room, size = scratch["here"], scratch["db_part"], self.pool.size
            loop = _pool_gradient_loop
            return [*calls, call(loop, da, db, room, dy, y, here, part.start, *size, relu)]
        if self.activation is None:
            calls.append(copy_call(da, dy))
        return [*calls, call(_gradient_loop, rows(da), db, rows(dy), rows(y), relu)]
