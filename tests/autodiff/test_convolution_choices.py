"""How a convolution is divided and which way it is computed: figures of shapes alone, whatever the way the same numbers."""

import numpy as np
import pytest

from nettrain.autodiff.compiled import compiled_form
from nettrain.autodiff.ops import convolution
from nettrain.autodiff.ops.convolution import Convolution
from nettrain.autodiff.ops.convolution_block import ConvolutionBlock
from nettrain.autodiff.ops.max_pooling import MaxPool
from nettrain.autodiff.ops.selection import Relu
from nettrain.autodiff.ops.smooth import Tanh
from nettrain.autodiff.ops.winograd import Winograd
from nettrain.autodiff.primitive import make_calls

# Of images 6 x 5 and filters 3 x 2 x 2 x 3 there are 4 x 4 windows of 12 numbers, and 3 outputs each: 240
# numbers per image, and for one image alone 60 per row of windows, of which 4 times as many have room.
SMALL, FILTERS = (6, 5, 2), (3, 2, 2, 3)


@pytest.mark.parametrize(("cache", "images", "parts", "rows"), [
    (10**6, 5, [5], 4),
    (1200, 5, [5], 4),
    (1199, 5, [4, 1], 4),
    (480, 5, [2, 2, 1], 4),
    (479, 5, [1] * 5, 4),
    (59, 2, [1, 1], 3),
    (30, 1, [1], 2),
    (1, 1, [1], 1),
    (100, 0, [], 4),
])  # fmt: skip
def test_as_many_images_and_rows_of_one_are_computed_at_a_time_as_have_room(
    cache, images, parts, rows, monkeypatch
):
    monkeypatch.setattr(convolution, "CACHE", cache)
    x, w = (images, *SMALL), FILTERS
    plain = Convolution()
    assert [part.stop - part.start for part in plain.parts(x, w)] == parts
    at_once = max(parts, default=0)
    assert plain.scratch(x, w)["columns"][0] == (at_once * rows * 4 * 12,)
    generator = np.random.Generator(np.random.PCG64(2))
    arrays = [generator.normal(size=shape) for shape in (x, w)]
    scratch = {key: np.full(size, np.nan) for key, (size, _) in plain.scratch(x, w).items()}
    out = np.full(plain.infer(x, w), np.nan)
    calls = plain.forward_calls(out, *arrays, **scratch)
    copied = sum(function is np.copyto for function, _, _ in calls)  # windows, before each product
    assert copied == len(parts) * -(-4 // rows)
    make_calls(calls)
    seen = np.lib.stride_tricks.sliding_window_view(arrays[0], (3, 2), axis=(1, 2))
    np.testing.assert_allclose(
        out, np.einsum("npqcij,ijco->npqo", seen, arrays[1]), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize(("w", "options", "numpy", "numba"), [
    ((1, 1, 8, 16), {}, True, True),
    ((2, 1, 8, 16), {}, True, False),
    ((1, 2, 8, 16), {}, True, False),
    ((3, 3, 4, 16), {}, True, True),
    ((3, 3, 5, 16), {}, True, False),
    ((3, 3, 16, 16), {}, True, True),
    ((3, 3, 16, 17), {}, True, False),
    ((3, 3, 16, 16), {"stride": (1, 2)}, False, False),
    ((3, 3, 16, 16), {"groups": 2}, False, False),
    ((3, 3, 16, 16), {"padding": ((0, 3), (0, 0))}, False, False),
    ((3, 3, 16, 16), {"padding": ((2, 2), (2, 2))}, True, True),
    ((3, 3, 16, 16), {"dilation": (2, 2), "padding": ((4, 4), (4, 3))}, True, True),
])  # fmt: skip
def test_the_gradient_of_images_is_a_convolution_where_there_is_one_and_it_pays(
    w, options, numpy, numba
):
    plain = Convolution(**options)
    assert plain.flips(w) == numpy
    assert compiled_form(plain).flips(w) == numba


@pytest.mark.parametrize(("w", "out", "numpy", "numba"), [
    ((3, 3, 16, 16), (2, 8, 8, 16), False, True),  # 8
    ((3, 3, 15, 17), (2, 8, 8, 17), False, False),
    ((3, 3, 24, 24), (2, 8, 8, 24), True, True),  # 12
    ((3, 3, 23, 25), (2, 8, 8, 25), False, True),
    ((3, 3, 32, 20), (2, 8, 8, 20), True, True),
    ((3, 1, 64, 64), (2, 8, 8, 64), False, False),
    ((1, 3, 64, 64), (2, 8, 8, 64), False, False),
    ((3, 3, 64, 64), (2, 1, 8, 64), False, False),  # half of the tiles' outputs are none
    ((3, 3, 64, 64), (2, 7, 7, 64), False, False),
    ((3, 3, 64, 64), (2, 9, 9, 64), True, True),
    ((3, 3, 64, 64), (2, 6, 7, 64), True, True),
])  # fmt: skip
def test_winograds_method_pays_for_many_channels_and_images_that_tiles_fit(w, out, numpy, numba):
    assert Winograd.pays(w, out) == numpy
    assert Winograd.pays(w, out, compiled=True) == numba
    padding = ((1, 1), (0, 1))
    other = Winograd.replacing(Convolution(padding=padding), w, out)
    assert other == (Winograd(padding=padding) if numba else None)
    for options in ({"stride": (2, 1)}, {"dilation": (1, 2)}, {"groups": 2}):
        assert Winograd.replacing(Convolution(**options), w, out) is None


@pytest.mark.parametrize("activation", [None, Relu(), Tanh()], ids=lambda a: type(a).__name__)
@pytest.mark.parametrize("pool", [None, MaxPool()], ids=["", "pool"])
def test_the_tangent_of_a_block_is_that_of_its_operations_bit_for_bit(activation, pool):
    """In float32 too, so that nothing in between has another type."""
    generator = np.random.Generator(np.random.PCG64(2))
    arrays = [generator.normal(size=s).astype(np.float32) for s in ((2, *SMALL), FILTERS, (3,))]
    tangents = [generator.normal(size=a.shape).astype(np.float32) for a in arrays]

    def forward(primitive, inputs, dinputs):
        shapes = [x.shape for x in inputs]
        out = np.full(primitive.infer(*shapes), np.nan, np.float32)
        scratch = {
            key: np.zeros(size, kind or np.float32)
            for key, (size, kind) in primitive.scratch(*shapes).items()
        }
        primitive.forward(out, *inputs, **scratch)
        dout = np.full_like(out, np.nan)
        primitive.tangent(dout, dinputs, out, *inputs, **scratch)
        return out, dout

    y, dy = forward(Convolution(), arrays, tangents)
    for primitive in (pool, activation):
        if primitive is not None:
            y, dy = forward(primitive, [y], [dy])
    found, tangent = forward(ConvolutionBlock(Convolution(), activation, pool), arrays, tangents)
    np.testing.assert_array_equal(found, y)
    np.testing.assert_array_equal(tangent, dy)
