"""Compiled convolutions against NumPy's: float32 within rounding on awkward shapes, what is not finite, and no memory."""

import tracemalloc

import numpy as np
import pytest

from nettrain.autodiff.compiled import compiled_form
from nettrain.autodiff.ops.convolution import Convolution
from nettrain.autodiff.ops.convolution_block import ConvolutionBlock
from nettrain.autodiff.ops.max_pooling import MaxPool
from nettrain.autodiff.ops.selection import Relu
from nettrain.autodiff.ops.smooth import Tanh
from nettrain.autodiff.ops.winograd import Winograd
from nettrain.autodiff.primitive import make_calls
from nettrain.streams import generator

pytestmark = pytest.mark.compiled

AROUND = ((1, 1), (1, 1))
# The operation, the shapes of images and filters.
TABLE = {
    "tiles that fit": (Winograd(), (3, 10, 6, 17), (3, 3, 17, 33)),
    "tiles that overhang": (Winograd(padding=AROUND), (2, 5, 7, 16), (3, 3, 16, 3)),
    "one pixel": (Winograd(padding=AROUND), (1, 1, 1, 1), (3, 3, 1, 1)),
    "windows with a stride": (
        Convolution(stride=(2, 3), padding=((1, 0), (0, 2))),
        (3, 8, 9, 5),
        (3, 2, 5, 4),
    ),
    "windows, dilated": (Convolution(dilation=(2, 1)), (2, 7, 5, 6), (2, 3, 6, 9)),
    "windows in groups": (Convolution(groups=2, stride=(1, 2)), (2, 4, 5, 14), (2, 2, 7, 6)),
    "relu": (ConvolutionBlock(Convolution(), Relu()), (3, 6, 7, 1), (3, 3, 1, 33)),
    "tanh": (ConvolutionBlock(Winograd(), Tanh()), (2, 6, 6, 5), (3, 3, 5, 7)),
    "relu and pool": (
        ConvolutionBlock(Winograd(padding=AROUND), Relu(), MaxPool()),
        (5, 9, 6, 18),
        (3, 3, 18, 34),
    ),
    "pool of 3 x 2": (
        ConvolutionBlock(Convolution(), None, MaxPool((3, 2), (3, 2))),
        (2, 8, 6, 3),
        (2, 2, 3, 5),
    ),
    "tanh of a pool one wide": (
        ConvolutionBlock(Convolution(), Tanh(), MaxPool((1, 2), (1, 2))),
        (2, 4, 5, 2),
        (1, 1, 2, 64),
    ),
}
each = pytest.mark.parametrize("name", TABLE)


def inputs(name, dtype=np.float32):
    _, x, w = TABLE[name]
    return [
        generator(0, "numbers", *shape).uniform(-2, 2, shape).astype(np.float32).astype(dtype)
        for shape in (x, w, w[3:])
    ]


def buffers(primitive, arrays):
    """Gradients, dy, value and scratch, which hold NaN, and dy what has no symmetry."""
    shapes, dtype = [a.shape for a in arrays], arrays[0].dtype
    out, wanted = np.full(primitive.infer(*shapes), np.nan, dtype), primitive.scratch(*shapes)
    scratch = {
        key: np.full(shape, np.nan if kind is None else 1, kind or dtype)
        for key, (shape, kind) in wanted.items()
    }
    return (
        [np.full_like(a, np.nan) for a in arrays],
        np.cos(np.arange(out.size)).astype(dtype).reshape(out.shape),
        out,
        scratch,
    )


def run(primitive, arrays):
    grads, dy, out, scratch = buffers(primitive, arrays)
    with np.errstate(all="ignore"):
        make_calls(primitive.forward_calls(out, *arrays, **scratch))
        make_calls(primitive.backward_calls(grads, dy, out, *arrays, **scratch))
    return [out, *grads]


@each
def test_each_is_numpys_within_the_rounding_of_float32(name):
    primitive = TABLE[name][0]
    assert type(compiled_form(primitive)) is not type(primitive)
    exact = run(primitive, inputs(name, np.float64))
    plain, loops = run(primitive, inputs(name)), run(compiled_form(primitive), inputs(name))
    for found, other, right in zip(loops, plain, exact, strict=True):
        assert found.dtype == np.float32
        assert np.abs(found - right).max() <= max(
            2 * np.abs(other - right).max(), 4e-6 * np.abs(right).max()
        )


@each
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("which", [0, 1, 2], ids=["image", "filter", "bias"])
def test_what_is_not_finite_is_so_in_every_array_where_it_is_with_numpy(name, value, which):
    arrays = inputs(name)
    arrays[which].flat[-1] = value
    (y, *grads), (expected_y, *expected) = (
        run(compiled_form(TABLE[name][0]), arrays),
        run(TABLE[name][0], arrays),
    )
    np.testing.assert_array_equal(np.isfinite(y), np.isfinite(expected_y))
    # where in an image's gradient depends on how it is made: zeros around an image times NaN are NaN
    assert [np.isfinite(dx).all() for dx in grads] == [np.isfinite(dx).all() for dx in expected]


@pytest.mark.parametrize(
    "name",
    [name for name, (primitive, *_) in TABLE.items() if isinstance(primitive, ConvolutionBlock)],
)
def test_a_run_of_the_calls_of_what_training_runs_takes_no_memory(name):
    primitive, arrays = compiled_form(TABLE[name][0]), inputs(name)
    grads, dy, out, scratch = buffers(primitive, arrays)
    calls = [
        *primitive.forward_calls(out, *arrays, **scratch),
        *primitive.backward_calls(grads, dy, out, *arrays, **scratch),
    ]
    make_calls(calls)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        make_calls(calls)
        taken = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert taken < 2000
