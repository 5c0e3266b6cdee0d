"""Twin of a convolution with its activation and pooling: all that stands around the products in one loop there and one back."""

import numpy as np

from nettrain.autodiff import compiled
from nettrain.autodiff.compiled._twin import Twin, call, contiguous, rows
from nettrain.autodiff.ops import convolution_block
from nettrain.autodiff.ops.selection import Relu
from nettrain.autodiff.primitive import Array, Call, Slots
from nettrain.jit import jit


@jit
def _shift(y: Array, b: Array, relu: bool) -> None:
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
def _pool(
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
    """out (n, p, q, o): the largest of y + b in windows high x wide, or its relu; here (high wide, images, p, q, o) from image start on."""
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
                        out[a, i, k, j] = (
                            best if value <= best else value if best == best else best
                        )  # NaN stays
                for j in range(o):
                    left[a, i, k, j] = True
                for e in range(high * wide):
                    row, column = i * high + e // wide, k * wide + e % wide
                    for j in range(o):
                        found = (y[a, row, column, j] + b[j] == out[a, i, k, j]) & left[a, i, k, j]
                        here[e, start + a, i, k, j] = found
                        left[a, i, k, j] = left[a, i, k, j] & (not found)
                if relu:
                    for j in range(o):
                        best = out[a, i, k, j]
                        out[a, i, k, j] = zero if best <= zero else best


@jit
def _back(da: Array, db: Array, dy: Array, y: Array, relu: bool) -> None:
    """da = dy, or what a relu lets through of it; db the sum."""
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
def _back_pool(
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
    """da at the largest of each window; db its sum. dz: room for a pixel."""
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
                        d = dz[j] * (one if here[e, start + a, i, k, j] else zero)
                        da[a, row, column, j] = d
                        db[j] += d


class ConvolutionBlock(Twin, convolution_block.ConvolutionBlock):
    """Bias, activation and pool in one loop; so are their derivatives and the bias's gradient. Activations but relu are twins."""

    def forward_calls(
        self, out: Array, x: Array, w: Array, b: Array | None = None, **scratch: Array
    ) -> list[Call]:
        convolution, relu = compiled.twin(self.convolution), isinstance(self.activation, Relu)
        assert isinstance(convolution, type(self.convolution))
        bias = np.zeros(w.shape[3], out.dtype) if b is None else b
        if not contiguous(bias):
            return convolution_block.ConvolutionBlock.forward_calls(self, out, x, w, b, **scratch)
        calls, w = convolution.begin(w, scratch)
        for part in convolution.parts(x.shape, w.shape):
            found = out[part]
            y = found if self.pool is None else scratch["y"][: len(found)]
            calls += convolution.forward_part(y, x[part], w, None, scratch)
            if self.pool is None:
                calls.append(call(_shift, rows(y), bias, relu))
            else:
                calls.append(
                    call(
                        _pool,
                        found,
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
                calls += compiled.twin(self.activation).forward_calls(found, found)
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
            return convolution_block.ConvolutionBlock.backward_calls(
                self, grads, dy, out, x, w, b, **scratch
            )
        convolution, total = (
            compiled.twin(self.convolution),
            np.empty(w.shape[3], out.dtype) if db is None else db,
        )
        assert isinstance(convolution, type(self.convolution))
        calls, w = convolution.begin_back([dx, dw], w, scratch)
        calls += [
            (total.fill, (0,), {}),
            (scratch["da"].fill, (0,), {}),
        ]  # what lies in no window stays 0
        for part in convolution.parts(x.shape, w.shape):
            y, d, da = out[part], dy[part], scratch["da"][: part.stop - part.start]
            if self.activation is not None and not relu:
                dz = da if self.pool is None else scratch["dz"][: len(y)]
                calls += compiled.twin(self.activation).backward_calls([dz], d, y, y)
                d = dz
            if self.pool is None:
                calls.append(call(_back, rows(da), total, rows(d), rows(y), relu))
            else:
                calls.append(
                    call(
                        _back_pool,
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
