"""How a convolution is divided and which way it is computed: figures of shapes alone, whatever the way the same numbers."""

import numpy as np
import pytest

from nettrain.autodiff.compiled import compiled_form
from nettrain.autodiff.ops import convolution, convolution_block, depthwise, pooling
from nettrain.autodiff.ops.convolution import Convolution
from nettrain.autodiff.ops.convolution_block import ConvolutionBlock
from nettrain.autodiff.ops.depthwise import Depthwise
from nettrain.autodiff.ops.global_pooling import GlobalAveragePool
from nettrain.autodiff.ops.max_pooling import MaxPool
from nettrain.autodiff.ops.pooling import AveragePool
from nettrain.autodiff.ops.selection import Relu
from nettrain.autodiff.ops.smooth import Tanh
from nettrain.autodiff.ops.winograd import Winograd
from nettrain.autodiff.primitive import make_calls

# Of images 6 x 5 and filters 3 x 2 x 4 x 3 there are 4 x 4 windows of 24 numbers, and 3 outputs each: 432
# numbers per image, and for one image alone 108 per row of windows, of which 4 times as many have room.
SMALL, FILTERS = (6, 5, 4), (3, 2, 4, 3)


@pytest.mark.parametrize(("cache", "images", "parts", "rows"), [
    (10**6, 5, [5], 4),
    (2160, 5, [5], 4),
    (2159, 5, [4, 1], 4),
    (864, 5, [2, 2, 1], 4),
    (863, 5, [1] * 5, 4),
    (107, 2, [1, 1], 3),
    (54, 1, [1], 2),
    (1, 1, [1], 1),
    (180, 0, [], 4),
])  # fmt: skip
def test_as_many_images_and_rows_of_one_are_computed_at_a_time_as_have_room(
    cache, images, parts, rows, monkeypatch
):
    monkeypatch.setattr(convolution, "CACHE", cache)
    x, w = (images, *SMALL), FILTERS
    plain = Convolution()
    assert [part.stop - part.start for part in plain.parts(x, w)] == parts
    at_once = max(parts, default=0)
    assert plain.scratch(x, w)["columns"][0] == (at_once * rows * 4 * 24,)
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
    ((3, 3, 64, 64), (2, 5, 6, 64), True, True),
    ((3, 3, 64, 64), (2, 6, 5, 64), True, True),
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


def run(primitive, arrays):
    """Value and gradients, and the calls of both passes."""
    shapes = [a.shape for a in arrays]
    out, scratch = np.full(primitive.infer(*shapes), np.nan), primitive.scratch(*shapes)
    scratch = {
        name: np.full(size, np.nan if kind is None else 1, kind or float)
        for name, (size, kind) in scratch.items()
    }
    grads, dy = (
        [np.full_like(a, np.nan) for a in arrays],
        np.cos(np.arange(out.size)).reshape(out.shape),
    )
    there = primitive.forward_calls(out, *arrays, **scratch)
    back = primitive.backward_calls(grads, dy, out, *arrays, **scratch)
    make_calls([*there, *back])
    return [out, *grads], there, back


# Where the constant is that bounds the numbers of images at a time, the operation, images of 5, filters, and numbers per image.
PARTS = [
    (convolution, Convolution(padding=((1, 0), (0, 1))), (5, 6, 5, 2), (3, 2, 2, 3), 5 * 5 * (12 + 3)),
    (convolution, Convolution(groups=2), (5, 4, 3, 4), (2, 1, 2, 6), 3 * 3 * (8 + 6)),
    (convolution, Winograd(), (5, 6, 5, 2), (3, 3, 2, 3), 16 * 4 * (2 + 3)),
    (convolution, Winograd(padding=((1, 1), (1, 1))), (5, 3, 6, 3), (3, 3, 3, 1), 16 * 6 * (3 + 1)),
    (convolution, ConvolutionBlock(Convolution(), Relu(), MaxPool()), (5, 6, 5, 2), (3, 2, 2, 3), 240),
    (convolution, ConvolutionBlock(Winograd(), Tanh()), (5, 6, 5, 2), (3, 3, 2, 3), 320),
    (depthwise, Depthwise(stride=(1, 2)), (5, 5, 6, 2), (3, 2, 1, 4), 4 * (5 * 6 + 2 * 3 * 3)),
    (pooling, AveragePool((3, 2), (1, 2)), (5, 6, 4, 2), None, 2 * (6 * 4 + 2 * 4 * 2)),
    (pooling, MaxPool((3, 2), (1, 2)), (5, 4, 6, 3), None, 3 * (4 * 6 + 2 * 2 * 3)),
    (pooling, MaxPool((2, 2), (2, 2)), (5, 4, 6, 3), None, 3 * (4 * 6 + 2 * 2 * 3)),
]  # fmt: skip


@pytest.mark.parametrize("case", PARTS, ids=lambda case: f"{type(case[1]).__name__} {case[2]}")
@pytest.mark.parametrize("make", [lambda primitive: primitive, pytest.param(compiled_form, marks=pytest.mark.compiled)], ids=["numpy", "compiled"])  # fmt: skip
def test_as_many_images_are_computed_at_a_time_as_have_room_and_give_the_same_numbers(
    case, make, monkeypatch
):
    module, primitive, x, w, room = case
    primitive = make(primitive)
    kernel = primitive.convolution if isinstance(primitive, ConvolutionBlock) else primitive
    generator = np.random.Generator(np.random.PCG64(5))
    arrays = [generator.normal(size=size) for size in (x, *([w, w[3:]] if w else []))]

    def parts():
        given = kernel.parts(x, w) if w else kernel._parts(x)
        return [part.stop - part.start for part in given]

    assert parts() == [5]
    expected = run(primitive, arrays)[0]
    monkeypatch.setattr(depthwise, "RUN", 8)  # of 12 numbers, so that the last run is shorter
    for cache, wanted in (
        (5 * room, [5]),
        (5 * room - 1, [4, 1]),
        (2 * room, [2, 2, 1]),
        (2 * room - 1, [1] * 5),
        (1, [1] * 5),
    ):
        monkeypatch.setattr(module, "CACHE", cache)
        assert parts() == wanted
        for found, right in zip(run(primitive, arrays)[0], expected, strict=True):
            np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-12)
    no_images = [np.empty((0, *x[1:])), *arrays[1:]]
    assert [np.abs(dw).sum() for dw in run(primitive, no_images)[0][2:]] == [0, 0][
        : len(arrays) - 1
    ]


NONE, AROUND = ((0, 0), (0, 0)), ((1, 0), (0, 2))


@pytest.mark.parametrize(("primitive", "shapes", "message"), [
    (Convolution(), [(2, 4, 5), (3, 3, 2, 3)], "convolution: images (2, 4, 5) and filters (3, 3, 2, 3) do not fit"),
    (Convolution(), [(2, 4, 5, 2), (3, 3, 2)], "convolution: images (2, 4, 5, 2) and filters (3, 3, 2) do not fit"),
    (Convolution(), [(2, 4, 5, 3), (3, 3, 2, 3)], "convolution: images (2, 4, 5, 3) and filters (3, 3, 2, 3) do not fit"),
    (Convolution(), [(2, 4, 5, 2), (3, 3, 2, 3), (2,)], "convolution: images (2, 4, 5, 2) and filters (3, 3, 2, 3) and (2,) do not fit"),
    (Convolution(groups=2), [(2, 4, 5, 2), (3, 3, 2, 4)], "convolution in 2 groups: images (2, 4, 5, 2) and filters (3, 3, 2, 4) do not fit"),
    (Convolution(groups=2), [(2, 4, 5, 4), (3, 3, 2, 3)], "convolution in 2 groups: images (2, 4, 5, 4) and filters (3, 3, 2, 3) do not fit"),
    (Convolution(), [(2, 2, 5, 2), (3, 3, 2, 3)], f"convolution: a kernel (3, 3) does not fit on images (2, 2, 5, 2) with padding {NONE}"),
    (Convolution(padding=AROUND), [(2, 5, 1, 2), (3, 4, 2, 3)], f"convolution: a kernel (3, 4) does not fit on images (2, 5, 1, 2) with padding {AROUND}"),
    (Depthwise(), [(2, 4, 5, 2), (3, 3, 2, 2)], "depthwise convolution: images (2, 4, 5, 2) and filters (3, 3, 2, 2) do not fit"),
    (Depthwise(), [(2, 4, 5, 2), (3, 3, 1, 3)], "depthwise convolution: images (2, 4, 5, 2) and filters (3, 3, 1, 3) do not fit"),
    (Depthwise(), [(2, 4, 5, 0), (3, 3, 1, 3)], "depthwise convolution: images (2, 4, 5, 0) and filters (3, 3, 1, 3) do not fit"),
    *[
        (one, [(2, 4, 5, 2), (*kernel, 2, 3)], f"winograd: takes filters (3, 3, c, o) without stride, dilation and groups, got {(*kernel, 2, 3)} and {one}")
        for one, kernel in (
            (Winograd(), (3, 2)), (Winograd(stride=(1, 2)), (3, 3)), (Winograd(dilation=(2, 1)), (3, 3)), (Winograd(groups=2), (3, 3))
        )
    ],
    (MaxPool(), [(2, 4, 6)], "pooling: takes images (n, h, w, c), got (2, 4, 6)"),
    (MaxPool((5, 2)), [(2, 4, 6, 1)], f"pooling: a window (5, 2) does not fit on images (2, 4, 6, 1) with padding {NONE}"),
    (MaxPool((4, 7)), [(2, 4, 6, 1)], f"pooling: a window (4, 7) does not fit on images (2, 4, 6, 1) with padding {NONE}"),
    (AveragePool((2, 2), padding=AROUND), [(2, 4, 6, 1)], f"pooling: with the padding {AROUND} some windows of (2, 2) would hold no pixel"),
    *[
        (GlobalAveragePool(), [shape], f"global pooling: takes images (n, h, w, c) of at least one pixel, got {shape}")
        for shape in ((2, 3, 4), (2, 0, 4, 3), (2, 3, 0, 1))
    ],
])  # fmt: skip
def test_shapes_that_do_not_fit_are_told(primitive, shapes, message):
    with pytest.raises(ValueError) as caught:
        primitive.infer(*shapes)
    assert str(caught.value) == message


@pytest.mark.parametrize(("primitive", "shapes", "slot"), [
    (Convolution(), [(2, 5, 4, 3), (2, 2, 3, 3)], 0),
    (Convolution(stride=(2, 1)), [(2, 5, 4, 3), (2, 2, 3, 3)], 0),
    (Winograd(), [(2, 5, 4, 3), (3, 3, 3, 3)], 1),
    (compiled_form(MaxPool()), [(2, 5, 4, 3)], 0),
])  # fmt: skip
def test_a_gradient_is_computed_in_its_slot_where_that_is_contiguous(primitive, shapes, slot):
    pytest.importorskip("numba")
    (_, *grads), _, back = run(primitive, [np.ones(shape) for shape in shapes])
    assert not any(f is np.copyto and np.shares_memory(args[0], grads[slot]) for f, args, _ in back)


def test_pixels_that_are_windows_are_not_copied():
    x, w = np.ones((3, 4, 5, 2)), np.ones((1, 1, 2, 3))
    assert [function.__name__ for function, *_ in run(Convolution(), [x, w])[1]] == ["dot"]
    strided = run(Convolution(), [x[:, ::2], w])[1]
    assert [function.__name__ for function, *_ in strided] == ["copyto", "dot"]


def test_each_pixel_of_windows_that_tile_images_is_written_once():
    """So no gradient is added, and each window is reduced without a first copy."""
    for primitive, shape in ((MaxPool(), (2, 4, 6, 3)), (AveragePool((3, 2), (3, 2)), (2, 6, 4, 3)), (AveragePool((3, 2), (3, 2)), (2, 3, 6, 4))):  # fmt: skip
        _, there, back = run(primitive, [np.ones(shape)])
        assert np.add not in [function for function, *_ in back]
        assert np.copyto not in [function for function, *_ in there]


@pytest.mark.parametrize("channels", [4, 5])
@pytest.mark.parametrize("groups", [1, 2])
def test_columns_of_few_channels_are_stored_transposed_and_products_write_contiguous_memory(
    channels, groups
):
    made = [np.ones((2, 5, 4, channels * groups)), np.ones((2, 2, channels, 2))]
    primitive = Convolution(stride=(2, 1), groups=groups)
    _, there, back = run(primitive, made)
    columns = (
        next(args[0] for f, args, _ in there if f is np.matmul)
        if groups > 1
        else next(f.__self__ for f, *_ in there if f.__name__ == "dot")
    )
    assert columns.flags.c_contiguous == (channels > 4)
    outputs = [args[-1] for f, args, _ in back if f is np.matmul or f.__name__ == "dot"]
    assert len(outputs) == 2
    assert outputs[1].flags.c_contiguous  # the gradient of the columns


@pytest.mark.parametrize("form", [lambda one: one, pytest.param(compiled_form, marks=pytest.mark.compiled)], ids=["numpy", "compiled"])  # fmt: skip
def test_a_block_gives_the_gradient_to_the_first_of_equal_pixels(form):
    x = np.array(
        [[1.0, 2.0, 0.0, 0.0], [2.0, 2.0, 0.0, 0.0], [3.0, 1.0, -1.0, -2.0], [3.0, 4.0, -1.0, -1.0]]
    )[None, :, :, None]
    primitive = form(ConvolutionBlock(Convolution(), None, MaxPool()))
    (y, dx, _), _, _ = run(primitive, [x, np.ones((1, 1, 1, 1))])
    assert y[0, :, :, 0].tolist() == [[2, 0], [4, -1]]
    first, dy = (
        np.array([[0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0]]),
        np.cos(np.arange(4)).reshape(2, 2),
    )
    np.testing.assert_array_equal(dx[0, :, :, 0], first * np.repeat(np.repeat(dy, 2, 0), 2, 1))


@pytest.mark.compiled
def test_a_relu_takes_no_call_of_its_own_in_a_compiled_block():
    made = [np.ones((2, 5, 4, 3)), np.ones((2, 2, 3, 3)), np.ones(3)]
    with_relu, without = (
        run(compiled_form(ConvolutionBlock(Convolution(), activation, MaxPool())), made)[1:]
        for activation in (Relu(), None)
    )
    assert list(map(len, with_relu)) == list(map(len, without))


def test_the_relu_of_a_negative_zero_is_zero_in_loops_and_the_first_of_equals_is_the_maximum():
    zeros, shift = np.array([[-0.0, 0.0]]), np.array([-0.0, -0.0])
    convolution_block._shift_loop.function(zeros, shift, True)
    assert not np.signbit(zeros).any()
    y = np.array([-0.0, 0.0]).reshape(1, 1, 2, 1)
    out, here, left = (
        np.empty((1, 1, 1, 1)),
        np.empty((2, 1, 1, 1, 1), bool),
        np.empty((1, 1, 1, 1), bool),
    )
    for relu, values in ((False, y), (False, -y), (True, y)):
        convolution_block._pool_loop.function(
            out, values, -0.0 * np.ones(1), here, left, 0, 1, 2, relu
        )
        assert np.signbit(out).item() == (not relu and np.signbit(values[0, 0, 0, 0]))
        assert here.ravel().tolist() == [True, False]


@pytest.mark.parametrize(("rows", "place", "large", "more"), [
    (35, 0, 2.0**24, 16 + 4 + 16 + 16 + 4),  # the first 16 rows are one: 16 and 3 more; then another image
    (18, 14, 2.0**25, 16 + 16),  # 14 ones before it are 16, and no more with the one behind it; 2 are none; 18 are 16
])  # fmt: skip
def test_sixteen_rows_of_windows_have_a_sum_of_their_own(rows, place, large, more):
    """One sum of all would lose the ones: 2^24 + 1 is 2^24 in float32, and 2^25 + 2 is 2^25."""
    pytest.importorskip("numba")  # the loop calls another one
    da = np.ones((2, rows, 1), np.float32)
    da[0, place] = large
    dw, db = np.zeros((1, 1, 1, 1), np.float32), np.zeros(1, np.float32)
    work, places = (np.empty((1, 1, 1), np.float32), np.empty(1, np.float32)), np.zeros((1, 1), int)
    depthwise._sums_loop.function(dw, db, da, np.ones_like(da), places, *work, 1)
    assert db.item() == dw.item() == large + more


@pytest.mark.parametrize(
    ("filters", "numbers"), [(1, 256), (3, 255), (100, 200), (256, 256), (300, 300)]
)
def test_a_loop_of_depthwise_convolutions_works_on_whole_pixels(filters, numbers):
    assert depthwise._length((3, 3, 1, filters)) == numbers
