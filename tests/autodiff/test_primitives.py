"""Every primitive, alone: value, gradient, tangent, and what the engine and a planner may rely on. A primitive without a row fails."""

import importlib
import inspect
import itertools
import math
import pkgutil
import tracemalloc
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest

from nettrain.autodiff import ops
from nettrain.autodiff.compiled import compiled_form, compiled_forms
from nettrain.autodiff.ops import (
    arithmetic,
    convolution,
    convolution_block,
    depthwise,
    dropout,
    exponential,
    gaussian,
    global_pooling,
    group_normalization,
    indexing,
    interpolation,
    joining,
    matmul,
    max_pooling,
    moments,
    noise,
    normalization,
    normalization_block,
    pooling,
    probe,
    reduction,
    row_normalization,
    selection,
    shape,
    smooth,
    softmax,
    sorting,
    trigonometric,
    winograd,
)
from nettrain.autodiff.ops.affine import Affine
from nettrain.autodiff.ops.cross_entropy import SoftmaxCrossEntropy
from nettrain.autodiff.ops.embedding import Embedding
from nettrain.autodiff.ops.feature_product import FeatureProduct
from nettrain.autodiff.ops.parametric_activation import ParametricActivation
from nettrain.autodiff.ops.periodic import Periodic
from nettrain.autodiff.ops.piecewise_linear import PiecewiseLinear
from nettrain.autodiff.ops.scale import Scale
from nettrain.autodiff.primitive import ElementWise, Primitive, View, make_calls
from nettrain.autodiff.tensor import Tensor, apply, float_type
from nettrain.jit import Loop


@dataclass(frozen=True)
class Row:
    """A primitive at a point. `value` says in plain NumPy what it computes; `gradient` says what differences cannot: the side at a kink."""

    name: str
    make: Callable[[], Primitive]
    inputs: tuple[np.ndarray, ...]
    value: Callable[..., Any]
    gradient: Callable[..., Any] | None = None
    plain: Any = None  # of a compiled form: the row of its operation

    def __str__(self):
        return self.name


generator = np.random.Generator(np.random.PCG64(7))


def uniform(*sizes, low=-2.0, high=2.0):
    return generator.uniform(low, high, size=sizes)


def row(name, primitive, inputs, value, gradient=None):
    """`primitive` is one, or where it holds a generator a function that makes it anew."""
    make = (lambda: primitive) if isinstance(primitive, Primitive) else primitive
    return Row(
        f"{type(make()).__name__}: {name}",
        make,
        tuple(np.asarray(x) for x in inputs),
        value,
        gradient,
    )


def element_wise(primitive, arity, value, low=-2.0, high=2.0):
    """A row for each awkward shape and memory order."""

    def strided():
        return uniform(5, 8, low=low, high=high)[::2, ::-2].T

    makers = {
        str(s): lambda s=s: uniform(*s, low=low, high=high)
        for s in ((3, 4), (1, 4), (4, 1), (1,), (), (2, 3, 4), (0, 3))
    }
    makers["not contiguous"] = strided
    return [
        row(name, primitive, [make() for _ in range(arity)], value) for name, make in makers.items()
    ]


def random_mask(share, x):
    kept = np.random.Generator(np.random.PCG64(3)).random(size=x.shape) >= share
    return np.where(kept, x / (1 - share), 0)


def with_noise(x):
    return x + 0.4 * np.random.Generator(np.random.PCG64(3)).standard_normal(size=x.shape)


def unseen(array):
    """What a probe tells nobody."""


def piecewise_linear(x, lower, slope, u, c, w):
    return x * u + c + np.einsum("ndi,dio->ndo", np.clip((x - lower) * slope, 0, 1), w)


def scatter(like, places, dy):
    dx = np.zeros_like(like)
    for place, d in zip(places, dy, strict=True):
        dx[place] += d
    return dx


def spread(*sizes):
    """Variances: positive."""
    return np.stack([uniform(*sizes), uniform(*sizes, low=0.5)])


def normal(x, mean, variance):
    return (x - mean) / np.sqrt(variance + 0.1)


def normal_rows(x):
    return normal(x, x.mean(-1, keepdims=True), x.var(-1, keepdims=True))


def normal_groups(x, groups):
    parts = np.split(x, groups, axis=-1)
    axes = tuple(range(1, x.ndim))
    return np.concatenate(
        [normal(p, p.mean(axes, keepdims=True), p.var(axes, keepdims=True)) for p in parts], axis=-1
    )


def between(x, axis, factor):
    """By NumPy's own interpolation."""
    n = x.shape[axis]
    return np.apply_along_axis(
        lambda line: np.interp((np.arange(factor * n) + 0.5) / factor - 0.5, np.arange(n), line),
        axis,
        x,
    )


def by_channel(x):
    mask = (
        np.random.Generator(np.random.PCG64(3)).random(
            size=(len(x), *[1] * (x.ndim - 2), x.shape[-1])
        )
        >= 0.4
    )
    return x * mask / 0.6


def cross_entropy(z, y):
    return [
        math.log(sum(math.exp(score) for score in scores)) - scores[k]
        for scores, k in zip(z, y, strict=True)
    ]


def convolved(x, w, b=0, stride=(1, 1), padding=((0, 0), (0, 0)), dilation=(1, 1), groups=1):
    """Window by window."""
    x = np.pad(x, ((0, 0), *padding, (0, 0)))
    (n, h, width, _), (kh, kw, few, o), (sh, sw), (dh, dw) = x.shape, w.shape, stride, dilation
    y = np.empty((n, (h - dh * (kh - 1) - 1) // sh + 1, (width - dw * (kw - 1) - 1) // sw + 1, o))
    for p, q, k in np.ndindex(*y.shape[1:]):
        first = k // (o // groups) * few
        seen = x[
            :, p * sh : p * sh + dh * kh : dh, q * sw : q * sw + dw * kw : dw, first : first + few
        ][:, :kh, :kw]
        y[:, p, q, k] = np.einsum("nijc,ijc->n", seen, w[..., k])
    return y + b


def convolutions(*cases):
    """Rows for (images, filters, options), with and without a bias: the operation of groups, or of one a channel."""
    for x, w, options in cases:
        for b in ((), (uniform(w[3]),)):
            made = [uniform(*x), uniform(*w), *b]
            value = partial(convolved, **options)
            name = f"{x} with {w}, {options}{', and a bias' if b else ''}"
            yield row(name, convolution.Convolution(**options), made, value)
            if w[2] == 1 and options.get("groups", 1) == x[3]:
                others = {key: option for key, option in options.items() if key != "groups"}
                yield row(name, depthwise.Depthwise(**others), made, value)


def pooled(x, size, stride, padding, value):
    """Window by window; what lies outside is NaN."""
    x = np.pad(x, ((0, 0), *padding, (0, 0)), constant_values=np.nan)
    down, across = ((x.shape[a + 1] - size[a]) // stride[a] + 1 for a in (0, 1))
    y = np.empty((len(x), down, across, x.shape[3]))
    for p, q in np.ndindex(down, across):
        i, j = p * stride[0], q * stride[1]
        y[:, p, q] = value(x[:, i : i + size[0], j : j + size[1]], axis=(1, 2))
    return y


def pools(*cases):
    """Rows for (images, size, stride, padding), of the largest and of the mean."""
    for x, *fields in cases:
        name = f"{x}, {', '.join(map(str, fields))}"
        yield row(
            name,
            max_pooling.MaxPool(*fields),
            [uniform(*x)],
            lambda x, f=fields: pooled(x, *f, np.nanmax),
        )
        yield row(
            name,
            pooling.AveragePool(*fields),
            [uniform(*x)],
            lambda x, f=fields: pooled(x, *f, np.nanmean),
        )


NONE = ((0, 0), (0, 0))
EQUALS = np.array(
    [[1.0, 1.0, 0.0, -0.0], [1.0, 1.0, 0.0, 0.0], [-1.0, 2.0, 3.0, 3.0], [2.0, 2.0, 3.0, 1.0]]
)[None, :, :, None]
FIRST = np.array([[1, 0, 1, 0], [0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]])[None, :, :, None]


def blocks(activation, f, size=None):
    """Rows of a convolution with its activation and a max pool."""
    for x, w, padding in (
        ((2, 5, 5, 2), (2, 2, 2, 3), ((0, 0), (0, 0))),
        ((1, 4, 6, 1), (3, 3, 1, 2), ((1, 1), (0, 1))),
    ):
        pool = max_pooling.MaxPool(size, size) if size else None
        primitive = convolution_block.ConvolutionBlock(
            convolution.Convolution(padding=padding), activation, pool
        )

        def value(x, w, *b, padding=padding):
            y = convolved(x, w, *b, padding=padding)
            if size:
                (n, h, width, c), (high, wide) = y.shape, size
                y = (
                    y[:, : h // high * high, : width // wide * wide]
                    .reshape(n, h // high, high, width // wide, wide, c)
                    .max((2, 4))
                )
            return f(y)

        name = f"{x} with {w}{f', pool of {size}' if size else ''}, {type(activation).__name__}"
        yield row(name, primitive, [uniform(*x), uniform(*w)], value)
        yield row(
            f"{name}, and a bias", primitive, [uniform(*x), uniform(*w), uniform(w[3])], value
        )


FAR = np.array(
    [-9.0, -5.0, -4.0, -1.0, -0.46875, -0.4, -1e-9, 0.0, 1e-9, 0.3, 0.46875, 0.5, 4.0, 4.5, 7.0]
)
TIED = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
ROWS = [
    *element_wise(arithmetic.Add(), 2, lambda a, b: a + b),
    *element_wise(arithmetic.Subtract(), 2, lambda a, b: a - b),
    *element_wise(arithmetic.Negative(), 1, lambda x: -x),
    *element_wise(arithmetic.Multiply(), 2, lambda a, b: a * b),
    *element_wise(arithmetic.Divide(), 2, lambda a, b: a / b, low=0.5),
    *element_wise(arithmetic.Power(3.0), 1, lambda x: x * x * x),
    *element_wise(arithmetic.Power(-0.5), 1, lambda x: 1 / np.sqrt(x), low=0.5),
    row(
        "to the 0 at 0",
        arithmetic.Power(0.0),
        [np.zeros(3)],
        lambda x: np.ones(3),
        lambda dy, x: [np.zeros(3)],
    ),
    row(
        "to the 1 at 0",
        arithmetic.Power(1.0),
        [np.zeros(3)],
        lambda x: np.zeros(3),
        lambda dy, x: [dy],
    ),
    row(
        "squared below and at 0",
        arithmetic.Power(2.0),
        [[-1.5, 0.0]],
        lambda x: x * x,
        lambda dy, x: [2 * x * dy],
    ),
    *element_wise(arithmetic.PowerOf(), 2, lambda a, b: np.exp(b * np.log(a)), low=0.3),
    *element_wise(exponential.Exp(), 1, lambda x: np.vectorize(math.exp, otypes=[float])(x)),
    *element_wise(
        exponential.Log(), 1, lambda x: np.vectorize(math.log, otypes=[float])(x), low=0.3
    ),
    *element_wise(exponential.Sqrt(), 1, lambda x: x**0.5, low=0.3),
    *element_wise(smooth.Sigmoid(), 1, lambda x: 1 / (1 + np.exp(-x))),
    *element_wise(smooth.Tanh(), 1, lambda x: 2 / (1 + np.exp(-2 * x)) - 1),
    *element_wise(trigonometric.Cos(), 1, lambda x: np.vectorize(math.cos, otypes=[float])(x)),
    *element_wise(trigonometric.Sin(), 1, lambda x: np.vectorize(math.sin, otypes=[float])(x)),
    *[
        row(
            f"{n} x {d} x {i} x {o}",
            FeatureProduct(),
            [uniform(n, d, i), uniform(d, i, o)],
            lambda x, w: np.einsum("ndi,dio->ndo", x, w),
        )
        for n, d, i, o in ((3, 2, 4, 5), (1, 3, 2, 1), (4, 1, 1, 2), (0, 2, 3, 2))
    ],
    row(
        "one matrix for all features",
        FeatureProduct(),
        [uniform(3, 2, 4), np.broadcast_to(uniform(4, 5), (2, 4, 5))],
        lambda x, w: np.einsum("ndi,io->ndo", x, w[0]),
    ),
    *[
        row(
            f"{n} x {d} x {i} x {o}",
            Periodic(2 * math.pi),
            [uniform(n, d, 1), uniform(d, i), uniform(d, i), uniform(d, i, o), uniform(d, o)],
            lambda x, q, r, w, b: np.concatenate(
                [x, np.einsum("ndi,dio->ndo", np.cos(2 * math.pi * x * q + r), w) + b], axis=2
            ),
        )
        for n, d, i, o in (
            *((3, 2, 4, 5), (1, 3, 2, 1), (4, 1, 1, 2), (0, 2, 3, 2)),
            *((2, 1, 9, 3), (2, 2, 2, 8)),
        )
    ],
    *[
        row(
            f"{n} x {d} x {i} x {o}",
            PiecewiseLinear(),
            [
                *[uniform(n, d, 1), uniform(d, i), uniform(d, i), uniform(d, o), uniform(d, o)],
                uniform(d, i, o),
            ],
            piecewise_linear,
        )
        for n, d, i, o in ((3, 2, 4, 5), (1, 3, 2, 1), (4, 1, 1, 2), (0, 2, 3, 2))
    ],
    row(
        "rows before, in and behind bins that follow one another",
        PiecewiseLinear(),
        [
            np.linspace(-1.7, 1.6, 16).reshape(8, 2, 1),
            np.array([[-1, -0.5, 0.25], [-1, 0, 0.5]]),
            np.array([[2, 4 / 3, 1], [1, 2, 2]]),
            *[uniform(2, 3), uniform(2, 3), uniform(2, 3, 3)],
        ],
        piecewise_linear,
    ),
    *[
        row(
            f"{n} codes of {tables}",
            Embedding(),
            [
                np.stack([np.arange(n) % v for v, _ in tables], axis=1).astype(float),
                *(uniform(*table) for table in tables),
            ],
            lambda x, *w: np.hstack([one[x[:, j].astype(int)] for j, one in enumerate(w)]),
        )
        for n, tables in (
            (7, ((3, 2),)),
            (5, ((2, 3), (1, 1), (6, 2))),
            (1, ((4, 1), (2, 2))),
            (0, ((2, 3),)),
        )
    ],
    row(
        "codes beyond the table, not contiguous",
        Embedding(),
        [
            np.array([[-1.0, 9.0], [1.0, 1.2], [9.0, 0.0]])[:, ::-1],
            uniform(2, 3).T,
            uniform(4, 6)[::2, ::2],
        ],
        lambda x, v, w: np.hstack([v[[2, 1, 0]], w[[0, 1, 1]]]),
    ),
    *element_wise(smooth.Silu(), 1, lambda x: x / (1 + np.exp(-x))),
    *element_wise(smooth.Softplus(), 1, lambda x: np.log(1 + np.exp(x))),
    *element_wise(gaussian.Erf(), 1, lambda x: np.vectorize(math.erf, otypes=[float])(x)),
    *element_wise(
        gaussian.Erf(), 1, lambda x: np.vectorize(math.erf, otypes=[float])(x), low=-9, high=9
    ),
    *element_wise(
        gaussian.Gelu(),
        1,
        lambda x: x * np.vectorize(math.erfc, otypes=[float])(-x / math.sqrt(2)) / 2,
    ),
    *element_wise(
        gaussian.Gelu(),
        1,
        lambda x: x * np.vectorize(math.erfc, otypes=[float])(-x / math.sqrt(2)) / 2,
        low=-9,
        high=9,
    ),
    *[
        row(f"{n} x {i} x {o}", Affine(act), [uniform(n, i), uniform(i, o), uniform(o)], value)
        for n, i, o in ((3, 4, 2), (1, 3, 2), (4, 1, 1))
        for act, value in (
            (None, lambda x, w, b: np.einsum("ni,io->no", x, w) + b),
            (selection.Relu(), lambda x, w, b: np.clip(np.einsum("ni,io->no", x, w) + b, 0, None)),
            (smooth.Tanh(), lambda x, w, b: np.tanh(np.einsum("ni,io->no", x, w) + b)),
        )
    ],
    *[
        row(
            f"of {name}, {act}",
            Affine(act, product),
            [uniform(3, 2, 4), w, uniform(2, w.shape[-1])],
            lambda x, w, b, act=act, sum_of=sum_of: (
                lambda y: y if act is None else np.clip(y, 0, None)
            )(np.einsum(sum_of, x, w) + b),
        )
        for name, product, w, sum_of in (
            ("each feature", FeatureProduct(), uniform(2, 4, 5), "ndi,dio->ndo"),
            ("each feature, one output", FeatureProduct(), uniform(2, 4, 1), "ndi,dio->ndo"),
            ("a diagonal", Scale(), uniform(2, 4), "ndi,di->ndi"),
        )
        for act in (None, selection.Relu())
    ],
    *[
        row(f"{x} by {s}", Scale(), [uniform(*x), uniform(*s)], lambda x, s: x * s)
        for x, s in (
            ((3, 4), (4,)),
            ((2, 3, 4), (4,)),
            ((2, 3, 4), (3, 4)),
            ((0, 3), (3,)),
            ((2, 0), (0,)),
        )
    ],
    *[
        row(
            f"{type(f).__name__}, {x} by {a}",
            ParametricActivation(f),
            [uniform(*x), uniform(*a)],
            lambda x, a, value=value: (1 - a) * x + a * value(x),
        )
        for f, value in (
            (smooth.Mish(), lambda x: x * np.tanh(np.log(1 + np.exp(x)))),
            (smooth.Elu(2.0, 3.0), lambda x: 3 * np.where(x > 0, x, 2 * (np.exp(x) - 1))),
            (smooth.Silu(), lambda x: x / (1 + np.exp(-x))),
            (selection.Relu(), lambda x: np.clip(x, 0, None)),
        )
        for x, a in (((3, 4), (4,)), ((2, 3, 4), (3, 4)), ((0, 3), (3,)), ((2, 0), (0,)))
    ],
    row(
        "strided",
        Affine(),
        [uniform(8, 3)[::2], uniform(2, 3).T, uniform(2)],
        lambda x, w, b: np.einsum("ni,io->no", x, w) + b,
    ),
    *[
        row(
            f"{n} x {k}",
            SoftmaxCrossEntropy(),
            [uniform(n, k), np.arange(n) % k],
            cross_entropy,
        )
        for n, k in ((4, 3), (1, 2), (3, 1))
    ],
    *convolutions(
        ((2, 4, 5, 2), (3, 3, 2, 3), {}),
        ((1, 3, 3, 1), (3, 3, 1, 1), {}),
        ((3, 2, 3, 2), (1, 1, 2, 3), {}),
        ((2, 3, 2, 6), (1, 1, 6, 2), {"stride": (2, 1)}),
        ((2, 3, 4, 5), (2, 1, 5, 2), {"padding": ((1, 0), (0, 2))}),
        ((1, 5, 7, 1), (2, 2, 1, 2), {"stride": (3, 4)}),
        ((2, 6, 5, 2), (2, 3, 2, 2), {"dilation": (3, 2), "padding": ((0, 1), (2, 1))}),
        (
            (2, 5, 4, 1),
            (3, 2, 1, 2),
            {"stride": (2, 1), "padding": ((2, 1), (0, 1)), "dilation": (1, 2)},
        ),
        ((2, 3, 3, 1), (2, 2, 1, 1), {"padding": ((2, 2), (3, 0))}),
        (
            (2, 4, 5, 5),
            (2, 2, 5, 2),
            {"stride": (2, 1), "padding": ((1, 0), (0, 1)), "dilation": (1, 2)},
        ),
        ((1, 3, 4, 10), (2, 2, 5, 2), {"groups": 2, "stride": (1, 2)}),
        ((2, 4, 3, 4), (2, 2, 2, 6), {"groups": 2, "padding": ((1, 1), (0, 1))}),
        ((1, 2, 3, 12), (1, 2, 6, 2), {"groups": 2}),
        ((2, 2, 3, 4), (1, 1, 2, 4), {"groups": 2}),
        ((2, 4, 3, 3), (2, 2, 1, 3), {"groups": 3, "stride": (2, 1)}),
        ((2, 5, 6, 1), (2, 2, 1, 1), {"stride": (3, 4), "padding": ((1, 0), (1, 2))}),
        ((2, 1, 4, 2), (1, 2, 1, 4), {"groups": 2}),
        (
            (1, 3, 4, 2),
            (3, 2, 1, 4),
            {"groups": 2, "padding": ((1, 1), (1, 0)), "dilation": (1, 2)},
        ),
    ),
    *[
        row(
            f"{x} with {w}, {padding}",
            winograd.Winograd(padding=padding),
            [np.round(4 * uniform(*s)) for s in (x, w, *b)],
            partial(convolved, padding=padding),
        )  # whole numbers: the sums are exact
        for x, w, padding in (
            ((2, 4, 6, 2), (3, 3, 2, 3), ((0, 0), (0, 0))),
            ((1, 3, 3, 1), (3, 3, 1, 1), ((0, 0), (0, 0))),
            ((2, 5, 4, 3), (3, 3, 3, 2), ((1, 1), (1, 1))),
            ((1, 2, 3, 2), (3, 3, 2, 1), ((2, 0), (1, 2))),
            ((2, 1, 1, 2), (3, 3, 2, 2), ((1, 1), (1, 1))),
            ((1, 2, 2, 1), (3, 3, 1, 1), ((4, 3), (4, 5))),
            ((1, 1, 2, 1), (3, 3, 1, 1), ((4, 4), (3, 3))),
            ((2, 1, 2, 1), (3, 3, 1, 2), ((3, 5), (3, 4))),
        )
        for b in ((), (w[3:],))
    ],
    row(
        "no images",
        winograd.Winograd(),
        [uniform(0, 3, 3, 1), uniform(3, 3, 1, 2), uniform(2)],
        convolved,
    ),
    row(
        "not contiguous",
        winograd.Winograd(),
        [
            np.round(uniform(4, 5, 4, 2))[::2, :, ::-1],
            np.round(4 * uniform(4, 2, 3, 3)).T,
            uniform(4),
        ],
        convolved,
    ),
    *blocks(selection.Relu(), lambda y: np.where(y > 0, y, 0)),
    *blocks(selection.Relu(), lambda y: np.where(y > 0, y, 0), (2, 2)),
    *blocks(smooth.Tanh(), np.tanh),
    *blocks(smooth.Tanh(), np.tanh, (3, 1)),
    *blocks(None, lambda y: y, (2, 3)),
    row(
        "no images",
        convolution.Convolution(),
        [uniform(0, 3, 3, 1), uniform(2, 2, 1, 2), uniform(2)],
        convolved,
    ),
    row(
        "no images",
        depthwise.Depthwise(),
        [uniform(0, 3, 3, 1), uniform(2, 2, 1, 2), uniform(2)],
        convolved,
    ),
    row(
        "not contiguous",
        convolution.Convolution(),
        [uniform(4, 3, 4, 2)[::2, :, ::-1], uniform(5, 2, 2, 2).T, uniform(5)],
        convolved,
    ),
    *[
        row(
            f"not contiguous, {activation}, {pool}",
            convolution_block.ConvolutionBlock(convolution.Convolution(), activation, pool),
            [uniform(4, 3, 3, 1)[::2, :, ::-1], uniform(2, 1, 2, 2).T, uniform(4)[::2]],
            lambda x, w, b, f=f, g=g: g(f(convolved(x, w, b))),
        )
        for activation, f in (
            (selection.Relu(), lambda a: np.clip(a, 0, None)),
            (smooth.Tanh(), np.tanh),
        )
        for pool, g in (
            (None, lambda y: y),
            (max_pooling.MaxPool(), lambda y: pooled(y, (2, 2), (2, 2), NONE, np.nanmax)),
        )
    ],
    row(
        "pixels, not contiguous",
        convolution.Convolution(),
        [uniform(4, 3, 4, 2)[::2], uniform(5, 2, 1, 1).T, uniform(10)[::2]],
        convolved,
    ),
    row(
        "not contiguous",
        depthwise.Depthwise(),
        [uniform(4, 3, 4, 2)[::2, :, ::-1], uniform(4, 1, 2, 2).T, uniform(4)],
        partial(convolved, groups=2),
    ),
    *pools(
        ((2, 4, 6, 3), (2, 2), (2, 2), NONE),
        ((1, 5, 7, 1), (2, 2), (2, 2), NONE),
        ((3, 1, 1, 2), (1, 1), (1, 1), NONE),
        ((2, 6, 5, 2), (3, 2), (1, 2), NONE),
        ((2, 5, 5, 2), (3, 3), (2, 2), ((1, 1), (1, 1))),
        ((1, 4, 3, 2), (2, 3), (3, 4), ((0, 1), (2, 2))),
        ((2, 1, 2, 1), (3, 3), (1, 1), ((1, 1), (1, 1))),
        ((1, 2, 2, 3), (3, 4), (2, 2), ((2, 2), (1, 3))),
        ((2, 7, 3, 1), (1, 2), (4, 1), NONE),
        ((1, 6, 4, 2), (6, 4), (1, 1), NONE),
        ((0, 4, 4, 1), (2, 2), (2, 2), NONE),
        ((2, 3, 4, 9), (2, 2), (2, 2), NONE),
        ((1, 3, 2, 8), (2, 2), (1, 1), ((1, 1), (1, 0))),
        ((0, 2, 2, 8), (2, 2), (2, 2), NONE),
        ((2, 3, 2, 2), (3, 1), (1, 1), ((2, 0), (0, 0))),
        ((1, 5, 4, 1), (2, 2), (2, 2), NONE),
        ((2, 4, 5, 1), (2, 2), (2, 2), NONE),
    ),
    row(
        "equals",
        max_pooling.MaxPool(),
        [EQUALS],
        lambda x: pooled(x, (2, 2), (2, 2), NONE, np.nanmax),
        lambda dy, x: [np.repeat(np.repeat(dy, 2, 1), 2, 2) * FIRST],
    ),
    row(
        "equals in the last row",
        max_pooling.MaxPool((3, 2), (3, 2)),
        [np.array([[1.0, 2.0], [3.0, 1.0], [4.0, 4.0]])[None, :, :, None]],
        lambda x: [[[[4.0]]]],
        lambda dy, x: [np.array([[0, 0], [0, 0], [1, 0]])[None, :, :, None] * dy],
    ),
    row(
        "equals in windows that overlap",
        max_pooling.MaxPool((2, 2), (1, 1)),
        [np.ones((1, 3, 3, 1))],
        lambda x: x[:, :2, :2],
        lambda dy, x: [np.pad(dy, ((0, 0), (0, 1), (0, 1), (0, 0)))],
    ),
    row(
        "equals in many channels",
        max_pooling.MaxPool(),
        [np.tile(EQUALS, 9)],
        lambda x: pooled(x, (2, 2), (2, 2), NONE, np.nanmax),
        lambda dy, x: [np.repeat(np.repeat(dy, 2, 1), 2, 2) * FIRST],
    ),
    row(
        "below zero beside padding",
        max_pooling.MaxPool((2, 2), (2, 2), ((1, 1), (1, 1))),
        [np.full((1, 2, 2, 1), -7.0)],
        lambda x: x,
        lambda dy, x: [dy],
    ),
    *[
        row(str(x.shape), primitive, [x], value)
        for x in (
            uniform(2, 3, 4, 5),
            uniform(1, 1, 1, 1),
            uniform(3, 1, 2, 1),
            uniform(4, 6, 3, 2)[::2, ::-1, :, ::-1],
        )
        for primitive, value in (
            (global_pooling.GlobalMaxPool(), lambda x: x.max((1, 2))),
            (global_pooling.GlobalAveragePool(), lambda x: x.mean((1, 2))),
        )
    ],
    row(
        "equals",
        global_pooling.GlobalMaxPool(),
        [EQUALS],
        lambda x: [[3.0]],
        lambda dy, x: [np.where(np.arange(16).reshape(x.shape) == 10, dy, 0)],
    ),
    *element_wise(selection.Relu(), 1, lambda x: np.where(x > 0, x, 0)),
    row(
        "at 0",
        selection.Relu(),
        [[0.0, -0.0, 1.0]],
        lambda x: [0, 0, 1],
        lambda dy, x: [dy * [0, 0, 1]],
    ),
    *element_wise(selection.LeakyRelu(0.1), 1, lambda x: np.where(x > 0, x, 0.1 * x)),
    row(
        "at 0",
        selection.LeakyRelu(0.1),
        [[0.0, -0.0, 1.0]],
        lambda x: [0, 0, 1],
        lambda dy, x: [dy * [0.1, 0.1, 1]],
    ),
    *element_wise(selection.Absolute(), 1, lambda x: np.sqrt(x * x)),
    row(
        "at 0", selection.Absolute(), [[0.0, -1.0]], lambda x: [0, 1], lambda dy, x: [dy * [0, -1]]
    ),
    *element_wise(selection.Step(), 1, lambda x: np.where(x > 0, 1.0, 0.0)),
    row("at 0", selection.Step(), [[0.0, 1.0]], lambda x: [0, 1], lambda dy, x: [[0, 0]]),
    *element_wise(selection.Clip(-1.0, 0.5), 1, lambda x: np.minimum(np.maximum(x, -1), 0.5)),
    row(
        "at its limits",
        selection.Clip(-1.0, 0.5),
        [[-1.0, 0.5, 0.6]],
        lambda x: [-1, 0.5, 0.5],
        lambda dy, x: [dy * [1, 1, 0]],
    ),
    *element_wise(selection.Maximum(), 2, lambda a, b: np.where(a > b, a, b)),
    row(
        "tie",
        selection.Maximum(),
        [[1.0, 2.0], [1.0, 3.0]],
        lambda a, b: [1, 3],
        lambda dy, a, b: [dy * [1, 0], dy * [0, 1]],
    ),
    *element_wise(selection.Minimum(), 2, lambda a, b: np.where(a < b, a, b)),
    row(
        "tie",
        selection.Minimum(),
        [[1.0, 2.0], [1.0, 3.0]],
        lambda a, b: [1, 2],
        lambda dy, a, b: [dy * [1, 1], dy * [0, 0]],
    ),
    *element_wise(smooth.Softsign(), 1, lambda x: np.sign(x) * (1 - 1 / (1 + np.abs(x)))),
    *element_wise(smooth.Elu(0.7, 1.5), 1, lambda x: np.where(x > 0, 1.5 * x, 1.05 * np.expm1(x))),
    row(
        "at 0",
        smooth.Elu(0.7, 1.5),
        [[0.0, -0.0]],
        lambda x: [0, 0],
        lambda dy, x: [1.5 * 0.7 * dy],
    ),
    row(
        "far out",
        smooth.Elu(1.0, 1.0),
        [[1000.0, -1000.0]],
        lambda x: [1000, -1],
        lambda dy, x: [dy * [1, 0]],
    ),
    *element_wise(smooth.Mish(), 1, lambda x: x * np.tanh(np.logaddexp(0, x))),
    row(
        "far out",
        smooth.Mish(),
        [[1000.0, 30.0, -1000.0, -30.0]],
        lambda x: [1000, 30, 0, -30 * math.log1p(math.exp(-30))],
    ),
    *element_wise(selection.LeakyRelu(1.7), 1, lambda x: np.where(x > 0, x, 1.7 * x)),
    row(
        "above 1 at 0",
        selection.LeakyRelu(1.7),
        [[0.0, -0.0, 1.0]],
        lambda x: [0, 0, 1],
        lambda dy, x: [dy * [1.7, 1.7, 1]],
    ),
    row(
        "far out",
        smooth.Softplus(),
        [[1000.0, -1000.0, -40.0]],
        lambda x: [1000, 0, math.exp(-40)],
    ),
    *element_wise(selection.Prelu(), 2, lambda x, a: np.where(x > 0, x, a * x)),
    row(
        "at 0",
        selection.Prelu(),
        [[0.0, 1.0], [0.5, 0.5]],
        lambda x, a: [0, 1],
        lambda dy, x, a: [dy * [0.5, 1], dy * 0],
    ),
    *element_wise(gaussian.Erf(), 1, np.vectorize(math.erf, otypes=[float])),
    row("all ranges", gaussian.Erf(), [FAR], np.vectorize(math.erf)),
    *element_wise(
        gaussian.Gelu(),
        1,
        np.vectorize(lambda x: x / 2 * math.erfc(-x / math.sqrt(2)), otypes=[float]),
    ),
    row(
        "all ranges",
        gaussian.Gelu(),
        [FAR],
        np.vectorize(lambda x: x / 2 * math.erfc(-x / math.sqrt(2))),
    ),
    *[
        row(
            str(x.shape),
            moments.Moments(),
            [x],
            lambda x: np.stack([x.mean(tuple(range(x.ndim - 1))), x.var(tuple(range(x.ndim - 1)))]),
        )
        for x in (
            uniform(5, 4),
            uniform(1, 3),
            uniform(3, 1),
            uniform(2, 3, 2, 4),
            uniform(6, 8)[::2, ::-2],
            uniform(3, 4).T,
        )
    ],
    *[
        row(
            f"{x.shape}, {type(act).__name__}",
            normalization_block.NormalizationBlock(normalization.Normalize(0.1), act),
            [x, spread(x.shape[-1]), uniform(x.shape[-1]), uniform(x.shape[-1])],
            lambda x, m, gamma, beta, f=f: f(normal(x, *m) * gamma + beta),
        )
        for x in (uniform(5, 4), uniform(2, 3, 2, 4), uniform(6, 8)[::2, ::-2])
        for act, f in ((selection.Relu(), lambda a: np.clip(a, 0, None)), (smooth.Tanh(), np.tanh))
    ],
    *[
        row(
            str(x.shape),
            normalization.Normalize(0.1),
            [x, spread(x.shape[-1]), uniform(x.shape[-1]), uniform(x.shape[-1])],
            lambda x, m, gamma, beta: normal(x, *m) * gamma + beta,
        )
        for x in (
            uniform(5, 4),
            uniform(1, 3),
            uniform(3, 1),
            uniform(2, 3, 2, 4),
            uniform(6, 8)[::2, ::-2],
        )
    ],
    *[
        row(
            str(x.shape),
            row_normalization.NormalizeRows(0.1),
            [x, uniform(x.shape[-1]), uniform(x.shape[-1])],
            lambda x, gamma, beta: normal_rows(x) * gamma + beta,
        )
        for x in (
            uniform(5, 4),
            uniform(1, 3),
            uniform(3, 1),
            uniform(2, 3, 2, 4),
            uniform(6, 8)[::2, ::-2],
        )
    ],
    *[
        row(
            str(x.shape),
            lambda: noise.GaussianNoise(0.4, np.random.Generator(np.random.PCG64(3))),
            [x],
            with_noise,
        )
        for x in (uniform(5, 4), uniform(1, 3), uniform(), uniform(2, 3, 4), uniform(6, 4)[::2].T)
    ],
    row(
        "of a deviation that is asked for",
        lambda: noise.GaussianNoise(lambda: 0.4, np.random.Generator(np.random.PCG64(3))),
        [uniform(5, 4)],
        with_noise,
    ),
    *element_wise(probe.Probe(unseen, unseen), 1, lambda x: x),
    row(
        "matrix",
        selection.Where(),
        [uniform(3, 4) > 0, uniform(3, 4), uniform(3, 4)],
        lambda c, a, b: c * a + (1 - c) * b,
    ),
    row(
        "one element", selection.Where(), [np.array(True), uniform(), uniform()], lambda c, a, b: a
    ),
    row(
        "not contiguous",
        selection.Where(),
        [uniform(4, 3).T > 0, uniform(6, 8)[::2, 1::2], uniform(4, 3).T],
        np.where,
    ),
    row(
        "matrix",
        matmul.Matmul(),
        [uniform(3, 4), uniform(4, 2)],
        lambda a, b: np.einsum("ni,io->no", a, b),
    ),
    row(
        "one row, one column",
        matmul.Matmul(),
        [uniform(1, 4), uniform(4, 1)],
        lambda a, b: [[np.sum(a[0] * b[:, 0])]],
    ),
    row("one element", matmul.Matmul(), [uniform(1, 1), uniform(1, 1)], lambda a, b: a * b),
    row(
        "stack",
        matmul.Matmul(),
        [uniform(2, 3, 4), uniform(2, 4, 5)],
        lambda a, b: np.einsum("sni,sio->sno", a, b),
    ),
    row(
        "not contiguous",
        matmul.Matmul(),
        [uniform(4, 3).T, uniform(4, 8)[:, ::-2]],
        lambda a, b: np.einsum("ni,io->no", a, b),
    ),
    row("no rows", matmul.Matmul(), [uniform(0, 4), uniform(4, 2)], lambda a, b: np.zeros((0, 2))),
    row(
        "repeated",
        matmul.Matmul(),
        [np.broadcast_to(uniform(3, 4), (2, 3, 4)), uniform(2, 4, 5)],
        lambda a, b: [a[0] @ y for y in b],
    ),
    *[
        row(str(x.shape), primitive, [x], value)
        for x in (
            uniform(3, 4),
            uniform(1, 4),
            uniform(4, 1),
            uniform(5),
            uniform(2, 3, 4),
            uniform(6, 4)[::2].T,
        )
        for primitive, value in (
            (reduction.Sum(), lambda x: np.einsum("...k->...", x)),
            (reduction.Max(), lambda x: np.sort(x, axis=-1)[..., -1]),
            (reduction.Min(), lambda x: np.sort(x, axis=-1)[..., 0]),
            (softmax.Softmax(), lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
            (softmax.LogSoftmax(), lambda x: x - np.log(np.exp(x).sum(-1, keepdims=True))),
            (softmax.LogSumExp(), lambda x: np.log(np.exp(x).sum(-1))),
        )
    ],
    row("nothing to add", reduction.Sum(), [uniform(3, 0)], lambda x: np.zeros(3)),
    row(
        "ties",
        reduction.Max(),
        [TIED],
        lambda x: [3, 2],
        lambda dy, x: [[[0, dy[0], 0], [dy[1], 0, 0]]],
    ),
    row(
        "ties",
        reduction.Min(),
        [-TIED],
        lambda x: [-3, -2],
        lambda dy, x: [[[0, dy[0], 0], [dy[1], 0, 0]]],
    ),
    row(
        "far apart",
        softmax.Softmax(),
        [[[800.0, 0.0], [-800.0, -800.0]]],
        lambda x: [[1, 0], [0.5, 0.5]],
    ),
    row(
        "far apart",
        softmax.LogSoftmax(),
        [[[800.0, 0.0], [-800.0, -800.0]]],
        lambda x: [[0, -800], [-np.log(2), -np.log(2)]],
    ),
    row(
        "far apart",
        softmax.LogSumExp(),
        [[[800.0, 0.0], [-800.0, -800.0]]],
        lambda x: [800, -800 + np.log(2)],
    ),
    row("a matrix into one axis", shape.Reshape((-1,)), [uniform(3, 4)], np.ravel),
    row(
        "one axis into three",
        shape.Reshape((2, 1, 3)),
        [uniform(6)],
        lambda x: np.array([[x[:3]], [x[3:]]]),
    ),
    row("one element", shape.Reshape((1, 1)), [uniform()], lambda x: [[x]]),
    row("matrix", shape.Transpose((1, 0)), [uniform(3, 4)], lambda x: np.einsum("ij->ji", x)),
    row(
        "three axes",
        shape.Transpose((2, 0, 1)),
        [uniform(2, 3, 4)],
        lambda x: np.einsum("ijk->kij", x),
    ),
    row("no axes", shape.Transpose(()), [uniform()], lambda x: x),
    row("a bias", shape.Broadcast((3, 4)), [uniform(4)], lambda x: np.array([x, x, x])),
    row("a column", shape.Broadcast((3, 4)), [uniform(3, 1)], lambda x: x * np.ones(4)),
    row("one number", shape.Broadcast((2, 3)), [uniform()], lambda x: np.full((2, 3), x)),
    row(
        "middle and front",
        shape.Broadcast((2, 3, 4, 5)),
        [uniform(3, 1, 5)],
        lambda x: np.ones((2, 3, 4, 5)) * x,
    ),
    row("nothing repeated", shape.Broadcast((1, 3)), [uniform(1, 3)], lambda x: x),
    row(
        "not contiguous",
        shape.Broadcast((2, 4, 3)),
        [uniform(6, 4)[::2].T],
        lambda x: np.array([x, x]),
    ),
    row(
        "every other, backwards",
        shape.Slice((slice(None, None, -2),)),
        [uniform(5, 3)],
        lambda x: np.array([x[4], x[2], x[0]]),
    ),
    row("one element", shape.Slice((1, -1)), [uniform(3, 4)], lambda x: x[1].tolist()[3]),
    row(
        "new axis, ellipsis",
        shape.Slice((None, ..., 0)),
        [uniform(2, 3, 4)],
        lambda x: np.array([[[y[0] for y in z] for z in x]]),
    ),
    row("nothing", shape.Slice((slice(2, 2),)), [uniform(3, 4)], lambda x: np.zeros((0, 4))),
    row("not contiguous", shape.Copy(), [uniform(6, 4)[::2].T], lambda x: x),
    row("one element", shape.Copy(), [uniform()], lambda x: x),
    row(
        "rows",
        joining.Concatenate(0),
        [uniform(2, 3), uniform(1, 3), uniform(0, 3)],
        lambda *p: np.array([r for x in p for r in x]),
    ),
    row(
        "columns",
        joining.Concatenate(1),
        [uniform(3, 2), uniform(5, 3).T[:, ::2]],
        lambda a, b: np.hstack([a, b]),
    ),
    row(
        "middle axis",
        joining.Concatenate(1),
        [uniform(2, 1, 3), uniform(2, 2, 3)],
        lambda a, b: np.concatenate([a, b], 1),
    ),
    row("one part", joining.Concatenate(0), [uniform(1)], lambda x: x),
    row(
        "matrix",
        joining.Pad(((1, 0), (2, 3)), 7.0),
        [uniform(2, 3)],
        lambda x: np.pad(x, ((1, 0), (2, 3)), constant_values=7),
    ),
    row("nothing around", joining.Pad(((0, 0),), 7.0), [uniform(3)], lambda x: x),
    row("no axes", joining.Pad((), 7.0), [uniform()], lambda x: x),
    row(
        "repeated rows",
        indexing.Gather(),
        [uniform(4, 3), [2, 0, 2, 2, -1]],
        lambda x, i: np.array([x[k] for k in i]),
    ),
    row(
        "a matrix of rows",
        indexing.Gather(),
        [uniform(4, 2), [[0, 1], [1, 3]]],
        lambda x, i: np.array([[x[k] for k in j] for j in i]),
    ),
    row(
        "repeated elements",
        indexing.Gather(),
        [uniform(3, 3).T, [0, 2, 0], [1, 1, 1]],
        lambda x, i, j: [x[0, 1], x[2, 1], x[0, 1]],
    ),
    row("one index", indexing.Gather(), [uniform(4), np.array(2)], lambda x, i: x[2]),
    row(
        "two rows",
        indexing.Pick(),
        [uniform(3, 4), [3, 0, 3]],
        lambda x, i: [x[0, 3], x[1, 0], x[2, 3]],
    ),
    row("one class", indexing.Pick(), [uniform(2, 1), [0, 0]], lambda x, i: x[:, 0]),
    row("one row", indexing.Pick(), [uniform(1, 3), [2]], lambda x, i: x[0, 2:]),
    row(
        "not contiguous",
        indexing.Pick(),
        [uniform(4, 6).T[::2], [3, 0, 1]],
        lambda x, i: [x[0, 3], x[1, 0], x[2, 1]],
        lambda dy, x, i: [scatter(x, [(0, 3), (1, 0), (2, 1)], dy)],
    ),
    row(
        "rows",
        sorting.Sort(),
        [np.array([[3.0, -1, 2, 2], [1, 2, 3, 4], [0.5, 0, -1, -2]])],
        lambda x: [sorted(row) for row in x],
        lambda dy, x: [np.take_along_axis(dy, np.argsort(np.argsort(x, kind="stable")), -1)],
    ),
    row(
        "many equal numbers",
        sorting.Sort(),
        [np.arange(70.0) * 7 % 3],
        sorted,
        lambda dy, x: [dy[np.argsort(np.argsort(x, kind="stable"))]],
    ),
    row("numbers", sorting.Sort(), [uniform(6)[::-1]], lambda x: sorted(x)),
    *[
        row(
            f"{shape} in {groups}",
            group_normalization.NormalizeGroups(groups, 0.1),
            [uniform(*shape), uniform(shape[-1]), uniform(shape[-1])],
            lambda x, gamma, beta, groups=groups: gamma * normal_groups(x, groups) + beta,
        )
        for shape, groups in (
            ((3, 2, 3, 4), 2),
            ((1, 3, 2, 4), 1),
            ((2, 2, 2, 3), 3),
            ((3, 6), 2),
            ((2, 1, 1, 2), 2),
        )
    ],
    row(
        "strided",
        group_normalization.NormalizeGroups(2, 0.1),
        [uniform(4, 3, 2, 4)[::2, ::-1, :, ::-1], uniform(4), uniform(8)[::2]],
        lambda x, gamma, beta: gamma * normal_groups(x, 2) + beta,
    ),
    *[
        row(
            f"{shape}, {factor} along {axis}",
            interpolation.Interpolate(axis, factor),
            [uniform(*shape)],
            lambda x, axis=axis, factor=factor: between(x, axis, factor),
        )
        for shape, axis, factor in (
            ((2, 4, 3, 2), 1, 2),
            ((2, 3, 4, 1), 2, 3),
            ((1, 1, 2, 1), 1, 4),
            ((2, 2, 2, 2), 2, 1),
            ((3, 5), 1, 5),
        )
    ],
    row(
        "not contiguous",
        interpolation.Interpolate(1, 2),
        [uniform(4, 6).T[::2]],
        lambda x: between(x, 1, 2),
    ),
    *[
        row(
            str(x.shape),
            lambda: dropout.SpatialDropout(0.4, np.random.Generator(np.random.PCG64(3))),
            [x],
            by_channel,
        )
        for x in (
            uniform(5, 3, 2, 4),
            uniform(1, 1, 1, 3),
            uniform(6, 4),
            uniform(4, 2, 3, 6)[::2, :, ::-1, ::3],
        )
    ],
    *[
        row(
            str(x.shape),
            lambda: dropout.Dropout(0.4, np.random.Generator(np.random.PCG64(3))),
            [x],
            lambda x: random_mask(0.4, x),
        )
        for x in (uniform(5, 4), uniform(1, 3), uniform(), uniform(2, 3, 4), uniform(6, 4)[::2].T)
    ],
    row(
        "of a share that is asked for",
        lambda: dropout.Dropout(lambda: 0.4, np.random.Generator(np.random.PCG64(3))),
        [uniform(5, 4)],
        lambda x: random_mask(0.4, x),
    ),
    row(
        "sigmoid",
        Affine(smooth.Sigmoid()),
        [uniform(3, 4), uniform(4, 2), uniform(2)],
        lambda x, w, b: 1 / (1 + np.exp(-(np.einsum("ni,io->no", x, w) + b))),
    ),
    row(
        "an activation without a loop",
        Affine(exponential.Exp()),
        [uniform(3, 4), uniform(4, 2), uniform(2)],
        lambda x, w, b: np.exp(np.einsum("ni,io->no", x, w) + b),
    ),
    row(
        "exponential",
        normalization_block.NormalizationBlock(normalization.Normalize(0.1), exponential.Exp()),
        [uniform(5, 4), spread(4), uniform(4), uniform(4)],
        lambda x, m, gamma, beta: np.exp(normal(x, *m) * gamma + beta),
    ),
    row(
        "of each feature, a bias that is not contiguous",
        Affine(selection.Relu(), FeatureProduct()),
        [uniform(3, 2, 4), uniform(2, 4, 5), uniform(5, 2).T],
        lambda x, w, b: np.clip(np.einsum("ndi,dio->ndo", x, w) + b, 0, None),
    ),
    row(
        "codes beyond the table",
        Embedding(),
        [np.array([[-1.0, 9.0], [1.0, 1.2], [9.0, 0.0]]), uniform(3, 2), uniform(2, 3)],
        lambda x, v, w: np.hstack([v[[0, 1, 2]], w[[1, 1, 0]]]),
    ),
    row(
        "elements by five indices",
        indexing.Gather(),
        [uniform(2, 3, 2, 2, 2), [1, 0], [2, 1], [0, 1], [1, 1], [0, 1]],
        lambda x, *i: [x[1, 2, 0, 1, 0], x[0, 1, 1, 1, 1]],
    ),
]
COMPILED = [
    Row(
        f"compiled {row.name}",
        lambda make=row.make: compiled_form(make()),
        row.inputs,
        row.value,
        row.gradient,
        row,
    )
    for row in ROWS
    if compiled_form(row.make()).__class__ is not row.make().__class__
]
GROUPS = {}
for each in ROWS + COMPILED:
    GROUPS.setdefault(type(each.make()), []).append(each)
MARKED = [
    pytest.param(
        rows, id=kind.__name__, marks=[pytest.mark.compiled] * (kind in compiled_forms().values())
    )
    for kind, rows in GROUPS.items()
]


def each_row(check):
    """A test of each operation, by all of its rows; where one fails it is named."""

    @pytest.mark.parametrize("rows", MARKED)
    def test(rows):
        for row in rows:
            with named(row):
                check(row)

    return test


@contextmanager
def named(row):
    try:
        yield
    except Exception as error:
        error.add_note(str(row))
        raise


def primitives(package=ops):
    """Every class that can be an operation: bases of other operations, which are abstract or have a leading underscore, are left out."""
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for name, found in vars(importlib.import_module(module.name)).items():
            if not (
                inspect.isclass(found)
                and issubclass(found, Primitive)
                and found.__module__ == module.name
            ):
                continue
            if not inspect.isabstract(found) and not (
                (name.startswith("_") and found.__subclasses__())
                or found in compiled_forms().values()
            ):
                yield found


def run_forward(primitive, out, inputs, scratch):
    """What an operation computes; its compiled form computes by its calls alone."""
    if type(primitive) in compiled_forms().values():
        make_calls(primitive.forward_calls(out, *inputs, **scratch))
    else:
        primitive.forward(out, *inputs, **scratch)


def run_backward(primitive, grads, dy, out, inputs, scratch):
    if type(primitive) in compiled_forms().values():
        make_calls(primitive.backward_calls(grads, dy, out, *inputs, **scratch))
    else:
        primitive.backward(grads, dy, out, *inputs, **scratch)


def garbage(sizes, dtype):
    return np.full(
        sizes, np.nan if np.dtype(dtype).kind == "f" else True if dtype == np.bool_ else 99, dtype
    )


def copied(x, dtype):
    """A copy in the memory order of x, and with gaps between its elements where x has some."""
    if x.dtype.kind != "f" or x.flags.forc or 0 in x.strides:
        return x.astype(dtype if x.dtype.kind == "f" else x.dtype, order="K")
    copy = np.repeat(x.astype(dtype, order="K")[..., None], 2, axis=-1)[..., 1]
    assert not copy.flags.forc
    return copy


class Run:
    """A primitive run forward on a copy of its row's inputs; output, scratch and gradient slots hold garbage before they are written."""

    def __init__(self, row, inputs=None, dtype=np.float64):
        self.primitive = row.make()
        self.inputs = [copied(x, dtype) for x in inputs or row.inputs]
        shapes = [x.shape for x in self.inputs]
        self.out = garbage(self.primitive.infer(*shapes), float_type(self.inputs))
        self.scratch = {
            name: garbage(size, kind or self.out.dtype)
            for name, (size, kind) in self.primitive.scratch(*shapes).items()
        }
        run_forward(self.primitive, self.out, self.inputs, self.scratch)
        self.real = [i for i, x in enumerate(self.inputs) if x.dtype.kind == "f"]
        self.weights = (
            np.cos(np.arange(self.out.size) + 1).reshape(self.out.shape).astype(self.out.dtype)
        )  # a dy without symmetry

    def backward(self, wanted=None, dy=None):
        grads = [
            garbage(x.shape, x.dtype) if i in (self.real if wanted is None else wanted) else None
            for i, x in enumerate(self.inputs)
        ]
        dy = self.weights if dy is None else dy
        run_backward(self.primitive, grads, dy, self.out, self.inputs, self.scratch)
        return grads

    def tangent(self, tangents):
        dout = garbage(self.out.shape, self.out.dtype)
        self.primitive.tangent(dout, tangents, self.out, *self.inputs, **self.scratch)
        return dout


def same_bits(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


def subsets(run):
    return itertools.chain.from_iterable(
        itertools.combinations(run.real, n) for n in range(1, len(run.real) + 1)
    )


def test_every_primitive_has_a_row():
    assert {type(row.make()) for row in ROWS} == set(primitives())


def test_every_compiled_form_has_a_row_by_that_of_its_operation():
    assert {type(row.make()) for row in COMPILED} == set(compiled_forms().values())
    for operation, form in compiled_forms().items():
        assert form.__bases__ == (operation,)
        assert form.__name__ == f"Compiled{operation.__name__}"


# The passes of compiled forms in which NumPy is as fast, or has random numbers that are not a loop's.
NUMPYS = {
    "CompiledConvolution": {"forward"},
    "CompiledDropout": {"forward", "backward"},
    "CompiledSum": {"backward"},
    "CompiledTanh": {"forward"},
}


@pytest.mark.compiled
@pytest.mark.parametrize("form", compiled_forms().values(), ids=lambda form: form.__name__)
def test_a_compiled_form_runs_loops_where_arrays_are_contiguous(form, monkeypatch):
    """NumPy's calls would give the same numbers."""
    looked_up = []
    entry = Loop.entry
    monkeypatch.setattr(
        Loop, "entry", lambda loop, *args: looked_up.append(loop) or entry(loop, *args)
    )
    found = set()
    for row in GROUPS[form]:
        run = Run(row)
        found |= {"forward"} if looked_up else set()
        for wanted in (run.real, run.real[1:] or run.real):
            looked_up.clear()
            run.backward(wanted)
            found |= {"backward"} if looked_up else set()
        looked_up.clear()
    assert found == {"forward", "backward"} - NUMPYS.get(form.__name__, set())


@each_row
def test_its_calls_do_what_it_does(row):
    run, other = Run(row), Run(row)
    for buffer in (other.out, *other.scratch.values()):
        buffer[...] = garbage(buffer.shape, buffer.dtype)
    other.primitive = row.make()  # where it holds a generator, one that has drawn nothing yet
    for function, args, named in other.primitive.forward_calls(
        other.out, *other.inputs, **other.scratch
    ):
        function(*args, **named)
    same_bits([other.out], [run.out])
    grads = [garbage(x.shape, x.dtype) if i in run.real else None for i, x in enumerate(run.inputs)]
    for function, args, named in other.primitive.backward_calls(
        grads, run.weights, other.out, *other.inputs, **other.scratch
    ):
        function(*args, **named)
    same_bits(grads, run.backward())


@each_row
def test_the_value_is_the_formulas(row):
    run = Run(row)
    expected = np.asarray(row.value(*row.inputs), dtype=float)
    assert run.out.shape == expected.shape
    np.testing.assert_allclose(run.out, expected, rtol=1e-13, atol=1e-15)
    same_bits(run.inputs, row.inputs)


@each_row
def test_the_gradient_is_the_central_difference(row):
    """That of a compiled form is its operation's."""
    run = Run(row)
    found = run.backward()
    if row.gradient:
        expected = [np.asarray(x, dtype=float) for x in row.gradient(run.weights, *row.inputs)]
        same_bits([found[i] for i in run.real], expected)
        return
    if row.plain:
        scale = max(1, np.abs(run.out).max(initial=0))
        for dx, right in zip(found, Run(row.plain).backward(), strict=True):
            if dx is not None:
                np.testing.assert_allclose(dx, right, rtol=1e-11, atol=1e-13 * scale)
        return
    for i in run.real:
        difference = np.empty(row.inputs[i].shape)
        for index in np.ndindex(*difference.shape):
            total = []
            for h in (1e-6, -1e-6):
                moved = [np.array(x) for x in row.inputs]
                moved[i][index] += h
                total.append(np.sum(Run(row, moved).out * run.weights))
            difference[index] = (total[0] - total[1]) / 2e-6
        # a difference of large values is coarse
        np.testing.assert_allclose(
            found[i], difference, rtol=1e-7, atol=1e-8 * max(1, np.abs(run.out).max(initial=0))
        )


@each_row
def test_the_tangent_is_the_gradients_transpose_whichever_inputs_move(row):
    run = Run(row)
    gradients = run.backward()
    for moving in subsets(run):
        tangents = [
            np.sin(np.arange(x.size) + i).reshape(x.shape) if i in moving else None
            for i, x in enumerate(run.inputs)
        ]
        terms = [gradients[i] * tangents[i] for i in moving]
        there, back = np.sum(run.weights * run.tangent(tangents)), sum(np.sum(t) for t in terms)
        assert abs(there - back) <= 1e-12 * max(1e-300, sum(np.sum(np.abs(t)) for t in terms))
    same_bits(run.backward(), gradients)  # a tangent leaves alone what backward reads


@each_row
def test_each_subset_of_slots_gets_the_same_numbers(row):
    run = Run(row)
    everything = run.backward()
    unread = [array for name, array in run.scratch.items() if name not in run.primitive.reads]
    for wanted in subsets(run):
        for array in unread:
            array[...] = garbage(array.shape, array.dtype)
        same_bits(
            run.backward(wanted), [dx if i in wanted else None for i, dx in enumerate(everything)]
        )


@each_row
def test_backward_reads_only_what_it_declares(row):
    run = Run(row)
    expected = run.backward()
    unread = [x for i, x in enumerate(run.inputs) if i not in run.primitive.reads]
    unread += [array for name, array in run.scratch.items() if name not in run.primitive.reads]
    unread += [run.out] if "out" not in run.primitive.reads else []
    for array in unread:
        array[...] = np.nan if array.dtype.kind == "f" else 0
    same_bits(run.backward(), expected)


@each_row
def test_backward_changes_nothing_but_its_slots_and_scratch(row):
    run = Run(row)
    before = [np.copy(a) for a in (run.weights, run.out, *run.inputs)]
    run.backward()
    same_bits([run.weights, run.out, *run.inputs], before)


@each_row
def test_the_output_may_take_the_memory_of_the_inputs_that_it_names(row):
    for place in row.make().in_place:
        run = Run(row)
        run.inputs[place] = np.array(run.inputs[place])
        run_forward(row.make(), run.inputs[place], run.inputs, run.scratch)
        same_bits([run.inputs[place]], [Run(row).out])


@each_row
def test_the_first_gradient_may_take_the_memory_of_dy_where_it_says_so(row):
    if row.make().gradient_in_place:
        run = Run(row)
        expected, dy = run.backward(), run.weights.copy()
        first, *others = [
            dy if i == 0 else garbage(x.shape, x.dtype) for i, x in enumerate(run.inputs)
        ]
        run_backward(run.primitive, [first, *others], dy, run.out, run.inputs, run.scratch)
        same_bits([first, *others], expected)


def elsewhere(x):
    """x in another memory order, with gaps between its elements; no other shape is a view of it."""
    other = garbage((*x.shape[::-1], 2), x.dtype)[..., 1].T
    other[...] = x
    return other


@each_row
def test_slots_and_dy_may_have_any_memory_order(row):
    """All of them; of compiled forms each alone too: loops leave to NumPy what is not contiguous.

    A loop that takes what is not is compiled for all of it at once, and for no other mixture.
    """
    run = Run(row)
    expected = run.backward()

    def is_the_same_with(moved):
        grads = [
            garbage(x.shape, x.dtype) if i in run.real else None for i, x in enumerate(run.inputs)
        ]
        grads = [elsewhere(dx) if i in moved else dx for i, dx in enumerate(grads)]
        dy = elsewhere(run.weights) if "dy" in moved else run.weights
        run_backward(run.primitive, grads, dy, run.out, run.inputs, run.scratch)
        for dx, right in zip(grads, expected, strict=True):
            if dx is not None:
                scale = np.abs(right).max(initial=1)
                np.testing.assert_allclose(dx, right, rtol=1e-13, atol=1e-15 * scale)

    is_the_same_with({"dy", *run.real})
    with loops_in_python():
        for name in () if row in ROWS else ("dy", *run.real):
            is_the_same_with({name})


@contextmanager
def loops_in_python():
    """Loops run as the functions that they are written as: none is compiled, for memory orders that nothing else has.

    Gives a list of the arrays that each was asked for.
    """
    asked = []

    def entry(loop, *args):
        asked.append([x for x in args if isinstance(x, np.ndarray)])
        return loop.function

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loop, "entry", entry)
        patch.setattr(Loop, "__call__", lambda loop, *args: loop.function(*args))
        yield asked


def moved_calls(row, moved, dtype=np.float64, wanted=None):
    """Output, slots and calls, which are looked up while inputs and dy hold NaN, and then hold the row's; those in `moved` elsewhere."""
    run, primitive = (
        Run(row, dtype=dtype),
        row.make(),
    )  # with a generator that has drawn nothing yet

    def place(name, x):
        return elsewhere(x) if name in moved else np.array(x, order="C")

    inputs = [place(i, x) for i, x in enumerate(run.inputs)]
    grads = [
        place("dx", garbage(x.shape, x.dtype)) if i in (wanted or run.real) else None
        for i, x in enumerate(inputs)
    ]
    dy, out = place("dy", run.weights), garbage(run.out.shape, run.out.dtype)
    changing = [dy, *(inputs[i] for i in run.real)]
    for array in changing:
        array[...] = np.nan
    calls = [
        *primitive.forward_calls(out, *inputs, **run.scratch),
        *primitive.backward_calls(grads, dy, out, *inputs, **run.scratch),
    ]
    for array, values in zip(
        changing, [run.weights, *(run.inputs[i] for i in run.real)], strict=True
    ):
        array[...] = values
    return [out, *grads], calls


@each_row
def test_its_calls_may_be_made_once_the_arrays_hold_other_values(row):
    """As plans do: nothing is computed or copied when calls are looked up, in whatever memory order; nor is any array copied to itself."""
    run = Run(row)
    expected = [run.out, *run.backward()]
    alone = [] if row in ROWS else [{"dy"}, {"dx"}, *({i} for i in run.real)]
    with loops_in_python():
        for moved in (set(), {"dy", "dx", *run.real}, *alone):
            found, calls = moved_calls(row, moved)
            make_calls(calls)
            for a, b in zip(found, expected, strict=True):
                if a is not None:
                    np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)
            assert not any(f is np.copyto and args[0] is args[1] for f, args, _ in calls)


UNWRITTEN = 1.25e17  # what no operation computes of the rows
# Forms whose loops take vectors, tables or matrices that are not contiguous.
STRIDED = {
    "CompiledAffine", "CompiledDepthwise", "CompiledEmbedding", "CompiledMoments", "CompiledNormalizationBlock", "CompiledNormalize",
    "CompiledNormalizeGroups", "CompiledNormalizeRows", "CompiledSoftmaxCrossEntropy",
}  # fmt: skip


@each_row
def test_calls_get_arrays_of_the_type_of_the_output_and_loops_contiguous_ones(row):
    """For each other type and memory order a loop would be compiled anew, which takes a quarter of a second."""
    run = Run(row, dtype=np.float32)
    with loops_in_python() as asked:
        for moved in ({"dy"}, {"dx"}, *({i} for i in run.real)) if row not in ROWS else ():
            moved_calls(row, moved, np.float32)
        strided = type(run.primitive).__name__ in STRIDED
        assert strided or all(x.flags.c_contiguous for arrays in asked for x in arrays)
        for wanted in subsets(run):
            for _, args, named in moved_calls(row, (), np.float32, wanted)[1]:
                for x in (*args, *named.values()):
                    if isinstance(x, np.ndarray) and x.dtype.kind == "f":
                        assert x.dtype == run.out.dtype


@each_row
def test_an_array_of_its_scratch_is_written_wholly_or_not_at_all(row):
    """NumPy's form: it is as large as it needs to be."""
    if row not in ROWS:
        return
    run = Run(row)
    for array in run.scratch.values():
        array[...] = UNWRITTEN if array.dtype.kind == "f" else 0
    run_forward(row.make(), run.out, run.inputs, run.scratch)
    run.backward()
    for name, array in run.scratch.items():
        unwritten = array == UNWRITTEN
        assert not unwritten.any() or unwritten.all(), name


@each_row
def test_the_output_may_have_gaps_between_its_elements(row):
    run = Run(row)
    if row not in ROWS or hasattr(run.primitive, "generator"):
        return  # loops and random numbers write contiguous memory, as engines have it
    other = garbage((*run.out.shape, 2), run.out.dtype)[..., 1]
    run_forward(row.make(), other, run.inputs, run.scratch)
    np.testing.assert_allclose(other, run.out, rtol=1e-13, atol=1e-15)


@each_row
def test_what_it_adds_to_a_gradient_is_what_it_would_write(row):
    run = Run(row)
    if len(run.inputs) > 1:
        return
    (dx,), start = (
        run.backward(),
        np.cos(np.arange(run.inputs[0].size)).reshape(run.inputs[0].shape),
    )
    [values] = run.inputs
    for total, x in (
        (start.copy(), values.copy()), (elsewhere(start), values.copy()), (start.copy(), elsewhere(values)),
    ):  # fmt: skip
        x[...] = np.nan if x.dtype.kind == "f" else 0  # as yet, when calls are looked up
        calls = run.primitive.added_calls(total, run.weights, run.out, x, **run.scratch)
        x[...] = values
        if calls is not None:
            make_calls(calls)
            np.testing.assert_allclose(total, start + dx, rtol=1e-13, atol=1e-15)


@each_row
def test_float32_stays_float32(row):
    run = Run(row, dtype=np.float32)
    assert run.out.dtype == np.float32
    inputs = [Tensor(x, requires_grad=i in run.real) for i, x in enumerate(run.inputs)]
    eager = apply(row.make(), *inputs)
    assert eager.dtype == np.float32
    if row in ROWS:
        np.testing.assert_array_equal(eager.value, run.out)
    else:  # eagerly a compiled form runs NumPy's calls
        np.testing.assert_allclose(eager.value, run.out, rtol=1e-6, atol=1e-6)
    for i, dx in enumerate(run.backward()):
        if dx is not None and not isinstance(
            run.primitive, (dropout.Dropout, noise.GaussianNoise)
        ):  # float32 draws other random numbers
            scale = max(1, np.abs(run.out).max(initial=0))
            np.testing.assert_allclose(dx, Run(row).backward()[i], rtol=1e-4, atol=1e-5 * scale)


@pytest.mark.parametrize("row", [row for row in ROWS if isinstance(row.make(), View)], ids=str)
def test_a_view_looks_at_its_inputs_memory_and_its_alias_is_its_gradient(row):
    run = Run(row)
    source = np.array(row.inputs[0]) if isinstance(run.primitive, shape.Reshape) else row.inputs[0]
    seen = run.primitive.view(source)
    np.testing.assert_array_equal(seen, run.out)
    assert seen.size == 0 or np.shares_memory(seen, source)
    dx = garbage(source.shape, source.dtype)
    alias = run.primitive.alias(dx)
    if alias is not None:
        assert (
            alias.flags.c_contiguous
        )  # as eager's gradients are: BLAS may give other bits in other memory orders
        alias[...] = run.weights
        same_bits([dx], run.backward())


def test_only_views_that_keep_every_element_once_have_an_alias():
    views = [row for row in ROWS if isinstance(row.make(), View)]
    aliased = {
        type(row.make())
        for row in views
        if row.make().alias(np.zeros(row.inputs[0].shape)) is not None
    }
    assert aliased == {shape.Reshape, shape.Transpose}
    assert shape.Reshape((6,)).alias(np.zeros((3, 2)).T) is None  # a reshape of it would be a copy


@pytest.mark.parametrize(("primitive", "forward", "backward"), [
    (Affine(), "shift", "sum"),
    (Affine(selection.Relu()), "shift_relu", "relu_gradient"),
    (Affine(smooth.Sigmoid()), "shift_sigmoid", "sigmoid_gradient"),
    (Affine(smooth.Tanh()), "shift", "tanh_gradient"),
    (Affine(exponential.Exp()), "shift", "sum"),
    (Affine(selection.Relu(), Scale()), "scale shift_relu", "relu_gradient scale_gradient"),
    (Affine(None, Scale()), "scale shift", "sum scale_gradient"),
    (Embedding(), "look_up", "add_rows"),
    (normalization_block.NormalizationBlock(normalization.Normalize(0.1), selection.Relu()),
     "normalize", "normalize_gradient"),
    (normalization_block.NormalizationBlock(normalization.Normalize(0.1), smooth.Sigmoid()),
     "normalize sigmoid", "normalize_gradient sigmoid_gradient"),
])  # fmt: skip
def test_a_compiled_form_of_several_operations_runs_the_loops_of_each(primitive, forward, backward):
    names = []
    w = uniform(4) if isinstance(getattr(primitive, "product", None), Scale) else uniform(4, 4)
    inputs = [uniform(3, 4), w, uniform(4)]
    if isinstance(primitive, normalization_block.NormalizationBlock):
        inputs = [uniform(3, 4), spread(4), uniform(4), uniform(4)]
    if isinstance(primitive, Embedding):
        inputs = [np.zeros((3, 1)), uniform(4, 2)]
    with loops_in_python(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            Loop, "entry", lambda loop, *args: names.append(loop.__name__) or loop.function
        )
        run = Run(row("", compiled_form(primitive), inputs, None))
        assert names == [f"_{name}_loop" for name in forward.split()]
        names.clear()
        run.backward(run.real[1:] if isinstance(primitive, Embedding) else None)
        assert names == [f"_{name}_loop" for name in backward.split()]


@pytest.mark.parametrize(
    ("moved", "loops"), [((), 2), ({1}, 1), ({"dy"}, 1), ({"dx"}, 1), ({0}, 2)]
)
def test_an_embedding_runs_a_loop_in_each_pass_whose_tables_slots_and_dy_are_contiguous(
    moved, loops
):
    """The codes may have gaps: they are columns of the rows of a table."""
    given = row("", compiled_form(Embedding()), [np.zeros((3, 1)), uniform(4, 2)], None)
    with loops_in_python() as asked:
        Run(given)  # draws up what it needs
        asked.clear()
        moved_calls(given, moved, wanted=(1,))
    assert len(asked) - 1 == loops  # one more by the run in it


def test_a_dense_layer_runs_its_loops_on_tiles_of_columns_and_on_rows_of_several_axes():
    w = uniform(4, 6)
    tile = np.s_[:, :3]
    x, y, da = uniform(5, 4), uniform(5, 6), uniform(5, 6)
    rows, weights = uniform(5, 2, 3), uniform(2, 3)
    dense, scaled = (compiled_form(Affine(selection.Relu(), *own)) for own in ((), (Scale(),)))
    with loops_in_python() as asked:
        dense.forward_calls(y[tile], x, w[tile], uniform(3), da=da[tile])
        dense.backward_calls(
            [None, w[tile], uniform(3)], y[tile], y[tile], x, w[tile], uniform(3), da=da[tile]
        )
        assert len(asked) == 2
        scaled.backward_calls(
            [None, None, weights.copy()], rows, rows, rows, weights, weights, da=rows, part=rows
        )
        assert len(asked) == 3


def test_the_sigmoid_of_a_dense_layer_is_never_quite_0():
    plain, loops = in_both_forms(
        Affine(smooth.Sigmoid(), Scale()), [[[-1e4, -800.0, 0.5]], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    )
    assert (loops > 0).all()
    np.testing.assert_allclose(loops, plain, rtol=1e-12)


def test_a_draw_that_equals_the_share_dropped_is_kept():
    """So that a share of 0 drops nothing: draws begin at 0."""
    for share in (0.0, 0.5):
        out, mask = np.full(2, np.nan), np.array([share, 0.75])
        dropout._drop_loop.function(out, np.array([3.0, 5.0]), mask, share)
        np.testing.assert_array_equal(out, np.array([3.0, 5.0]) / (1 - share))


def test_moments_of_a_row_that_is_not_finite_are_numpys():
    with np.errstate(invalid="ignore"):
        plain, loops = in_both_forms(moments.Moments(), [[[np.inf, np.nan, 2.0]]])
    np.testing.assert_array_equal(loops, plain)


@pytest.mark.parametrize("weight", [0.0, np.inf])
def test_a_piecewise_linear_embedding_is_finite_where_numpys_is(weight):
    with np.errstate(invalid="ignore"):
        plain, loops = in_both_forms(PiecewiseLinear(), [
            [[[0.5]], [[1.5]], [[-1.0]]], [[0.0, 1.0]], [[1.0, 1.0]], [[2.0]], [[3.0]], [[[weight], [weight]]],
        ])  # fmt: skip
    finite = np.isfinite(plain)
    assert finite.all() == (weight == 0)
    np.testing.assert_array_equal(np.isfinite(loops), finite)
    np.testing.assert_array_equal(loops[finite], plain[finite])


def test_gathering_needs_its_indices_alone_for_the_gradient():
    assert 0 not in indexing.Gather.reads and {1, 2, 3} <= {*indexing.Gather.reads}


@pytest.mark.parametrize(
    "kind",
    [
        moments.Moments,
        normalization.Normalize,
        normalization_block.NormalizationBlock,
        group_normalization.NormalizeGroups,
    ],
)
def test_sums_of_blocks_of_rows_add_up(kind, monkeypatch):
    """Blocks of a hundred rows and more, for float32: here of two."""
    for module in (moments, normalization, group_normalization):
        monkeypatch.setattr(module, "BLOCK", 2)
    for row in GROUPS[kind]:
        plain = Run(row)
        with loops_in_python():
            run = Run(row)
            run.primitive = compiled_form(run.primitive)
            run_forward(run.primitive, run.out, run.inputs, run.scratch)
            for found, right in zip(
                [run.out, *run.backward()], [plain.out, *plain.backward()], strict=True
            ):
                np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-14)


def in_both_forms(primitive, inputs):
    """The value by NumPy and that by loops."""
    given = row("", primitive, [np.array(x, float) for x in inputs], None)
    with loops_in_python():
        return Run(given).out, Run(row("", compiled_form(primitive), given.inputs, None)).out


@pytest.mark.parametrize(("primitive", "inputs"), [
    (selection.Relu(), [[0, -0.0, 1, -1]]),
    (selection.LeakyRelu(0.0), [[0, -0.0, 1, -1]]),
    (selection.LeakyRelu(0.1), [[0, -0.0, 1, -1]]),
    (normalization_block.NormalizationBlock(normalization.Normalize(0.1), selection.Relu()),
     [[[1.0, 1.0, 0.0]], [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]], [1.0, -1.0, 1.0], [0.0, -0.0, 0.0]]),
    (Affine(selection.Relu(), Scale()), [[[0.0, -0.0, -1.0]], [1.0, 1.0, 1.0], [0.0, -0.0, 0.0]]),
])  # fmt: skip
def test_loops_that_choose_have_numpys_sign_of_zero(primitive, inputs):
    plain, loops = in_both_forms(primitive, inputs)
    assert np.signbit(loops).any()
    np.testing.assert_array_equal(loops, plain)
    if np.signbit(np.array(-0.0).clip(0, np.inf)):  # 0.0 in NumPy 2.0
        np.testing.assert_array_equal(np.signbit(loops), np.signbit(plain))


def test_the_gradient_of_a_table_has_the_same_bits_in_any_memory_order():
    """Sums of float32 are sums of float32 in a slot that is not contiguous, too."""
    x, w = np.zeros((3, 1), np.float32), np.zeros((1, 2), np.float32)
    dy = np.array([[1, 1], [2**-24, 0], [2**-24, 0]], np.float32)
    run = Run(row("", Embedding(), [x, w], None), dtype=np.float32)
    for slot in (np.empty((1, 2), np.float32), elsewhere(w)):
        run_backward(run.primitive, [None, slot], dy, run.out, run.inputs, run.scratch)
        np.testing.assert_array_equal(slot, [[1, 1]])


@pytest.mark.parametrize(
    ("wanted", "functions"),
    [
        ((True, True), [np.multiply, np.matmul]),
        ((True, False), [np.multiply]),
        ((False, True), [np.matmul]),
    ],
)
def test_features_of_one_output_need_no_product_for_dx(wanted, functions):
    x, w, dy = uniform(3, 2, 4), uniform(2, 4, 1), uniform(3, 2, 1)
    slots = [np.empty_like(a) if want else None for a, want in zip((x, w), wanted, strict=True)]
    calls = FeatureProduct().backward_calls(slots, dy, dy, x, w)
    assert [function for function, _, _ in calls] == functions


def test_a_copy_keeps_integers():
    found = apply(shape.Copy(), Tensor(np.arange(3)))
    assert found.dtype == np.arange(3).dtype
    np.testing.assert_array_equal(found.value, [0, 1, 2])


LARGE = {type(row.make()): row.make for row in ROWS if isinstance(row.make(), ElementWise)}


@pytest.mark.parametrize("kind", LARGE, ids=lambda kind: kind.__name__)
def test_an_element_wise_primitive_allocates_no_array(kind):
    arity = len(next(row.inputs for row in ROWS if type(row.make()) is kind))
    inputs = [uniform(300, 300, low=0.5).astype(np.float32) for _ in range(arity)]
    if kind is selection.Where:
        inputs[0] = inputs[0] > 1
    primitive = LARGE[kind]()
    out, dy = np.empty((300, 300), np.float32), inputs[-1].copy()
    scratch = {
        name: np.empty(size, dtype or np.float32)
        for name, (size, dtype) in primitive.scratch(*[x.shape for x in inputs]).items()
    }
    grads = [np.empty_like(out) if x.dtype.kind == "f" else None for x in inputs]
    run_forward(primitive, out, inputs, scratch)  # what is made once, such as imports, is no matter
    run_backward(primitive, grads, dy, out, inputs, scratch)
    tracemalloc.start()
    try:
        run_forward(primitive, out, inputs, scratch)
        run_backward(primitive, grads, dy, out, inputs, scratch)
        assert (
            tracemalloc.get_traced_memory()[1] < out.size
        )  # a quarter of one array: not even a mask of truth values
    finally:
        tracemalloc.stop()


def test_a_probe_is_shown_the_value_and_the_gradient():
    seen = []
    run = Run(row("", probe.Probe(seen.append, seen.append), [uniform(2, 3)], None))
    run.backward()
    same_bits(seen, [run.inputs[0], run.weights])


@pytest.mark.parametrize("rows", [1, 2, 5, 6])
def test_moments_of_rows_in_blocks_are_those_of_all_rows(rows, monkeypatch):
    monkeypatch.setattr(moments, "BLOCK", 2)
    x, out = uniform(rows, 3), garbage((2, 3), np.float64)
    moments._moments_loop.function(out, x, garbage(x.shape, x.dtype))
    np.testing.assert_allclose(out, [x.mean(0), x.var(0)], rtol=1e-13)


@pytest.mark.parametrize(("primitive", "shapes"), [
    (normalization.Normalize(0.1), [(3, 50_000), (2, 50_000), (50_000,), (50_000,)]),
    (row_normalization.NormalizeRows(0.1), [(3, 50_000), (50_000,), (50_000,)]),
    (group_normalization.NormalizeGroups(2, 0.1), [(3, 1, 50_000), (50_000,), (50_000,)]),
    (indexing.Pick(), [(50_000, 3), (50_000,)]),
    (Affine(selection.Relu(), Scale()), [(3, 50_000), (50_000,), (50_000,)]),
], ids=lambda given: type(given).__name__)  # fmt: skip
def test_rows_are_computed_in_memory_that_is_there(primitive, shapes):
    """Not even a number for each channel, or for each row, is allocated."""
    inputs = [np.ones(size, np.float32) for size in shapes]
    if isinstance(primitive, indexing.Pick):
        inputs[1] = np.arange(50_000) % 3
    out = np.empty(primitive.infer(*shapes), np.float32)
    scratch = {
        name: np.empty(size, dtype or np.float32)
        for name, (size, dtype) in primitive.scratch(*shapes).items()
    }
    grads = [np.empty_like(x) if x.dtype.kind == "f" else None for x in inputs]
    dy = np.ones_like(out)
    tracemalloc.start()
    try:
        primitive.forward(out, *inputs, **scratch)
        primitive.backward(grads, dy, out, *inputs, **scratch)
        assert tracemalloc.get_traced_memory()[1] < 150_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("primitive", [
    max_pooling.MaxPool(), max_pooling.MaxPool((3, 2), (2, 1), ((1, 1), (0, 1))), pooling.AveragePool((3, 3), (2, 2)),
])  # fmt: skip
def test_pooling_has_the_same_bits_however_many_images_are_worked_on_at_a_time(
    primitive, monkeypatch
):
    given = row("", primitive, [uniform(5, 7, 6, 2)], None)
    whole = Run(given)
    expected = [whole.out, *whole.backward()]
    monkeypatch.setattr(pooling, "CACHE", 400)
    parts = Run(given)
    assert whole.scratch["rows"].shape[0] == 5 > parts.scratch["rows"].shape[0] > 1
    same_bits([parts.out, *parts.backward()], expected)


@pytest.mark.parametrize(("primitive", "shape", "said"), [
    (max_pooling.MaxPool((5, 2)), (2, 4, 6, 1), r"window \(5, 2\) does not fit on images \(2, 4, 6, 1\)"),
    (pooling.AveragePool((2, 2), (2, 2), ((0, 2), (0, 0))), (2, 4, 6, 1), "windows of .2, 2. would hold no pixel"),
    (max_pooling.MaxPool(), (2, 4, 6), "takes images"),
    (global_pooling.GlobalMaxPool(), (2, 0, 3, 1), "at least one pixel"),
])  # fmt: skip
def test_pooling_that_does_not_fit_says_so(primitive, shape, said):
    with pytest.raises(ValueError, match=said):
        primitive.infer(shape)
