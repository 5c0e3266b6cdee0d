"""Operations at the ends of the number line, on equal elements, on empty axes, and with uneven padding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettrain.autodiff import Tensor, backward
from nettrain.autodiff import functions as F
from nettrain.autodiff.compiled import compiled_form
from nettrain.autodiff.ops.convolution import Convolution
from nettrain.autodiff.ops.convolution_block import ConvolutionBlock
from nettrain.autodiff.ops.cross_entropy import SoftmaxCrossEntropy
from nettrain.autodiff.ops.group_normalization import NormalizeGroups
from nettrain.autodiff.ops.interpolation import Interpolate
from nettrain.autodiff.ops.max_pooling import MaxPool
from nettrain.autodiff.ops.moments import Moments
from nettrain.autodiff.ops.row_normalization import NormalizeRows
from nettrain.autodiff.ops.selection import LeakyRelu, Relu
from nettrain.autodiff.ops.smooth import Elu, Mish, Sigmoid, Silu, Tanh
from nettrain.autodiff.ops.softmax import LogSumExp
from nettrain.autodiff.primitive import make_calls
from nettrain.component import names
from nettrain.nn.activation import Activation

# The derivative far to the left and far to the right.
SLOPES = {
    "elu": (0, 1),
    "gelu": (0, 1),
    "identity": (1, 1),
    "leaky_relu": (0.01, 1),
    "mish": (0, 1),
    "relu": (0, 1),
    "selu": (0, 1.0507009873554805),
    "sigmoid": (0, 0),
    "silu": (0, 1),
    "softplus": (0, 1),
    "softsign": (0, 0),
    "step": (0, 0),
    "tanh": (0, 0),
}


def computed(primitive, inputs, dy=None):
    shapes = [x.shape for x in inputs]
    out = np.full(primitive.infer(*shapes), np.nan, inputs[0].dtype)
    scratch = {
        name: np.full(shape, np.nan if kind is None else 0, kind or out.dtype)
        for name, (shape, kind) in primitive.scratch(*shapes).items()
    }
    grads = [np.full_like(x, np.nan) for x in inputs]
    with np.errstate(all="ignore"):
        make_calls(primitive.forward_calls(out, *inputs, **scratch))
        make_calls(
            primitive.backward_calls(
                grads, np.ones_like(out) if dy is None else dy, out, *inputs, **scratch
            )
        )
    return out, grads


both_kernels = pytest.mark.parametrize("form", [lambda p: p, compiled_form], ids=["numpy", "numba"])


def test_every_element_wise_activation_has_a_row():
    element_wise = set(names(Activation)) - {"softmax", "prelu"}  # softmax sums, prelu is a layer's
    assert set(SLOPES) == element_wise


@pytest.mark.parametrize("size", [1e3, 1e20, 1e38])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", SLOPES)
def test_far_from_zero_an_activation_has_the_slope_of_its_asymptote(name, dtype, size):
    x = Tensor(np.array([-size, size], dtype), requires_grad=True)
    with np.errstate(all="ignore"):
        slopes = backward(Activation.parse(name).apply(x), np.ones(2, dtype))[x]
    np.testing.assert_allclose(slopes, SLOPES[name], rtol=1e-5, atol=1e-5)


@pytest.mark.compiled
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "primitive",
    [Sigmoid(), Tanh(), Silu(), Mish(), Elu(1.0, 1.0), Elu(2.0, 3.0), Relu(), LeakyRelu(0.1)],
    ids=lambda one: type(one).__name__,
)
def test_a_compiled_activation_is_numpys_to_both_ends_of_the_line(primitive, dtype):
    far, end = [1e3, 1e20, np.finfo(dtype).max, np.inf], np.log(np.finfo(dtype).max)
    near = [0.0, 1e-3, 1.0, 20.5, 21.5, 25.0, end - 2, end - 0.5, end + 0.5, end + 2]
    x = np.array([*near, *far, np.nan])
    x = np.concatenate([x, -x]).astype(dtype)
    plain, loops = computed(primitive, [x]), computed(compiled_form(primitive), [x])
    rounding = 100 * np.finfo(dtype).eps
    for found, expected in zip((loops[0], *loops[1]), (plain[0], *plain[1]), strict=True):
        np.testing.assert_allclose(found, expected, rtol=rounding, atol=0)


@pytest.mark.compiled
@both_kernels
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_sigmoid_is_exact_to_the_ends_of_the_exponential_and_never_quite_zero(form, dtype):
    end = np.log(np.finfo(dtype).max)
    x = -np.arange(0, end - 1, 0.25).astype(dtype)
    with np.errstate(over="raise"):
        found, _ = computed(form(Sigmoid()), [x])
    exact = 1 / (1 + np.exp(-x.astype(np.longdouble)))
    np.testing.assert_allclose(found, exact.astype(float), rtol=1e3 * np.finfo(dtype).eps, atol=0)
    least, _ = computed(form(Sigmoid()), [np.array([-np.inf, -1e9], dtype)])
    assert (least > 0).all() and (least < found[-1]).all()


@pytest.mark.compiled
@both_kernels
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_mish_is_the_identity_from_22_on_and_nothing_overflows_on_the_way(form, dtype):
    x = np.array([22, 22.5, 23, 100, 1e3, 1e30], dtype)
    primitive = form(Mish())
    kept = primitive.scratch(x.shape).items()
    out, dx, scratch = x.copy(), x.copy(), {name: np.empty(x.shape, dtype) for name, _ in kept}
    with np.errstate(over="raise", invalid="raise"):
        make_calls(primitive.forward_calls(out, x, **scratch))
        make_calls(primitive.backward_calls([dx], np.ones_like(x), out, x, **scratch))
    np.testing.assert_array_equal(out, x)
    np.testing.assert_array_equal(dx, 1)


@pytest.mark.compiled
@both_kernels
def test_a_cross_entropy_of_scores_far_apart_is_finite(form):
    z = np.array([[800, 0, 0], [-800, -800, -800], [0, 800, 0]], np.float32)
    out, dz = of_classes(form(SoftmaxCrossEntropy()), z, np.array([0, 2, 0]))
    np.testing.assert_allclose(out, [0, np.log(3), 800], rtol=1e-6)
    third = 1 / 3
    np.testing.assert_allclose(dz, [[0, 0, 0], [third, third, third - 1], [-1, 1, 0]], atol=1e-6)


@pytest.mark.compiled
def test_the_loops_of_a_cross_entropy_take_a_class_that_there_is_not_for_the_nearest():
    z, primitive = (
        np.array([[1, 2, 3], [1, 2, 4]], np.float32),
        compiled_form(SoftmaxCrossEntropy()),
    )
    found, expected = (of_classes(primitive, z, np.array(y)) for y in ([10**9, -1], [2, 0]))
    for one, right in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, right)


def of_classes(primitive, z, y):
    out = np.full(len(z), np.nan, z.dtype)
    scratch = {
        name: np.zeros(shape, kind or z.dtype)
        for name, (shape, kind) in primitive.scratch(z.shape, y.shape).items()
    }
    dz = np.full_like(z, np.nan)
    make_calls(primitive.forward_calls(out, z, y, **scratch))
    make_calls(primitive.backward_calls([dz, None], np.ones_like(out), out, z, y, **scratch))
    return out, dz


def test_the_logarithm_of_a_sum_of_zeros_is_minus_infinity():
    x = np.array([[-np.inf, -np.inf], [-np.inf, 0.0]])
    out, _ = computed(LogSumExp(), [x])
    np.testing.assert_array_equal(out, [-np.inf, 0])


def test_a_pixel_that_is_not_finite_is_not_in_the_centre_of_its_neighbours():
    x = np.array([[1.0, np.inf, 3.0, 4.0]])
    out, (dx,) = computed(
        Interpolate(1, 3), [x], np.array([[1, 1, 1, 1, np.inf, 1, 1, 1, 1, 1, 1, 1.0]])
    )
    np.testing.assert_array_equal(out[:, 1::3], x)
    np.testing.assert_array_equal(np.isfinite(dx), [[True, False, True, True]])


@pytest.mark.compiled
@both_kernels
@pytest.mark.parametrize("value", [0.1, 1.0, 33333.3, -1e8, 1e30])
@pytest.mark.parametrize("c", [3, 7, 64, 1000])
def test_equal_elements_are_normalized_to_zero(form, value, c):
    x = np.full((2, c), value, np.float32)
    gamma, beta = np.ones(c, np.float32), np.zeros(c, np.float32)
    out, _ = computed(form(NormalizeRows(1e-5)), [x, gamma, beta])
    np.testing.assert_array_equal(out, 0)
    moments, _ = computed(form(Moments()), [np.full((c, 2), value, np.float32)])
    np.testing.assert_array_equal(moments, [[np.float32(value)] * 2, [0, 0]])


@pytest.mark.parametrize("value", [33333.3, -1e8])
def test_equal_elements_of_a_group_are_normalized_to_zero(value):
    x = np.full((2, 3, 5, 6), value, np.float32)
    x[..., 3:] *= 2
    out, _ = computed(NormalizeGroups(2, 1e-5), [x, np.ones(6, "f"), np.zeros(6, "f")])
    np.testing.assert_array_equal(out, 0)


@pytest.mark.compiled
@both_kernels
def test_the_gradient_of_a_pool_goes_to_the_largest_pixels_alone_even_if_infinite(form):
    x = np.arange(2 * 4 * 4 * 9, dtype=np.float32).reshape(2, 4, 4, 9)
    dy = np.full((2, 2, 2, 9), np.inf, np.float32)
    _, (dx,) = computed(form(MaxPool()), [x], dy)
    assert set(np.unique(dx)) == {0, np.inf}
    assert np.isinf(dx).sum() == dy.size


@pytest.mark.compiled
@both_kernels
def test_leaky_relu_without_a_slope_is_relu_at_infinity(form):
    out, _ = computed(form(LeakyRelu(0.0)), [np.array([-np.inf, -1, np.inf], np.float32)])
    np.testing.assert_array_equal(out, [0, 0, np.inf])


@pytest.mark.parametrize("function", [F.logsumexp, lambda x: x.max(), lambda x: x.min()])
@pytest.mark.parametrize("shape", [(0,), (3, 0)])
def test_an_empty_axis_has_no_largest_element(function, shape):
    with pytest.raises(ValueError, match="no element"):
        function(Tensor(np.zeros(shape)))


def reference(x, w, stride, padding, dilation):
    """The convolution by its sum, pixel by pixel."""
    x = np.pad(x, ((0, 0), *padding, (0, 0)))
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, w.shape[:2], strict=True)]
    down, across = (
        (size - r) // s + 1 for size, r, s in zip(x.shape[1:3], reach, stride, strict=True)
    )
    y = np.zeros((len(x), down, across, w.shape[3]))
    for p, q, i, j in np.ndindex(down, across, *w.shape[:2]):
        pixels = x[:, p * stride[0] + i * dilation[0], q * stride[1] + j * dilation[1]]
        y[:, p, q] += pixels @ w[i, j]
    return y


sizes = st.integers(1, 5)
pads = st.tuples(st.integers(0, 3), st.integers(0, 3))


@pytest.mark.compiled
@both_kernels
@given(
    shape=st.tuples(st.integers(1, 2), sizes, sizes, st.integers(1, 5)),
    filters=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 5)),
    stride=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    padding=st.tuples(pads, pads),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    block=st.booleans(),
)
def test_a_convolution_and_its_gradients_are_those_of_its_sum(
    form, shape, filters, stride, padding, dilation, block
):
    kh, kw, o = filters
    convolution = Convolution(stride=stride, padding=padding, dilation=dilation)
    if min(convolution.windows((kh, kw, shape[3], o)).grid(*shape[1:3])) < 1:
        return
    chance = np.random.default_rng(0)
    x, w, b = chance.normal(size=shape), chance.normal(size=(kh, kw, shape[3], o)), np.zeros(o)
    primitive = ConvolutionBlock(convolution) if block else convolution
    expected = reference(x, w, stride, padding, dilation)
    dy = chance.normal(size=expected.shape)
    out, (dx, dw, db) = computed(form(primitive), [x, w, b], dy)
    np.testing.assert_allclose(out, expected, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(db, dy.sum((0, 1, 2)), rtol=1e-10, atol=1e-10)
    v, u = chance.normal(size=x.shape), chance.normal(size=w.shape)  # both gradients are adjoints
    along_x = (reference(v, w, stride, padding, dilation) * dy).sum()
    along_w = (reference(x, u, stride, padding, dilation) * dy).sum()
    assert (dx * v).sum() == pytest.approx(along_x, rel=1e-9, abs=1e-9)
    assert (dw * u).sum() == pytest.approx(along_w, rel=1e-9, abs=1e-9)
