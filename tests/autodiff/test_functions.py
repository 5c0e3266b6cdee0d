"""Functions of tensors: each is the formula in its docstring, by the operation that it names, with the type of its input."""

import math

import numpy as np
import pytest

from nettrain.autodiff import functions as F
from nettrain.autodiff.check import check
from nettrain.autodiff.ops.convolution import Convolution
from nettrain.autodiff.ops.depthwise import Depthwise
from nettrain.autodiff.ops.winograd import Winograd
from nettrain.autodiff.tensor import Tensor

X = np.array([[-2.0, -0.5, 0.0], [0.25, 1.0, 3.0]])
POSITIVE = np.abs(X) + 0.5
ERF = np.vectorize(math.erf)
SLOPE = np.array([0.1, 0.2, 0.3])

# name: (function, point, formula)
FORMULAS = {
    "exp": (F.exp, X, np.exp),
    "log": (F.log, POSITIVE, np.log),
    "sqrt": (F.sqrt, POSITIVE, np.sqrt),
    "absolute": (F.absolute, X, np.abs),
    "cos": (F.cos, X, np.cos),
    "sin": (F.sin, X, np.sin),
    "silu": (F.silu, X, lambda x: x / (1 + np.exp(-x))),
    "sigmoid": (F.sigmoid, X, lambda x: 1 / (1 + np.exp(-x))),
    "tanh": (F.tanh, X, np.tanh),
    "relu": (F.relu, X, lambda x: np.maximum(x, 0)),
    "leaky_relu": (F.leaky_relu, X, lambda x: np.where(x > 0, x, 0.01 * x)),
    "leaky_relu of a slope": (lambda x: F.leaky_relu(x, 0.3), X, lambda x: np.where(x > 0, x, 0.3 * x)),
    "softplus": (F.softplus, X, lambda x: np.log1p(np.exp(x))),
    "elu": (F.elu, X, lambda x: np.where(x > 0, x, np.expm1(x))),
    "elu of a scale": (lambda x: F.elu(x, 2, 3), X, lambda x: np.where(x > 0, 3 * x, 6 * np.expm1(x))),
    "mish": (F.mish, X, lambda x: x * np.tanh(np.log1p(np.exp(x)))),
    "softsign": (F.softsign, X, lambda x: x / (1 + np.abs(x))),
    "prelu": (lambda x: F.prelu(x, SLOPE.tolist()), X, lambda x: np.where(x > 0, x, SLOPE * x)),
    "erf": (F.erf, X, ERF),
    "gelu": (F.gelu, X, lambda x: x * (1 + ERF(x / math.sqrt(2))) / 2),
    "step": (F.step, X, lambda x: (x > 0) * 1.0),
    "clip": (lambda x: F.clip(x, -1, 2), X, lambda x: np.clip(x, -1, 2)),
    "sort": (F.sort, X[:, ::-1], np.sort),
    "sort along the first axis": (lambda x: F.sort(x, 0), X[::-1], lambda x: np.sort(x, 0)),
    "sort along the middle axis": (lambda x: F.sort(x, 1), X.reshape(1, 3, 2)[:, ::-1], lambda x: np.sort(x, 1)),
    "sort of three axes": (F.sort, X.reshape(1, 3, 2)[..., ::-1], np.sort),
    "softmax": (F.softmax, X, lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
    "log_softmax": (F.log_softmax, X, lambda x: x - np.log(np.exp(x).sum(-1, keepdims=True))),
    "logsumexp": (F.logsumexp, X, lambda x: np.log(np.exp(x).sum())),
    "logsumexp of rows": (lambda x: F.logsumexp(x, 1, True), X, lambda x: np.log(np.exp(x).sum(1, keepdims=True))),
    "pad": (lambda x: F.pad(x, ((1, 0), (2, 3))), X, lambda x: np.pad(x, ((1, 0), (2, 3)))),
    "concatenate": (lambda x: F.concatenate([x, x]), X, lambda x: np.concatenate([x, x])),
    "stack": (lambda x: F.stack([x, x]), X, lambda x: np.stack([x, x])),
    "stack of one part": (lambda x: F.stack([x]), X, lambda x: x[None]),
    "pick": (lambda x: F.pick(x, [2, 0]), X, lambda x: x[[0, 1], [2, 0]]),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
def test_a_function_is_its_formula_of_arrays_and_tensors_in_either_precision(name):
    f, x, formula = FORMULAS[name]
    expected = formula(x)
    for given in (x, x.tolist(), Tensor(x), x.astype(np.float32), Tensor(x.astype(np.float32))):
        found = f(given)
        single = getattr(given, "dtype", None) == np.float32
        assert found.dtype == (np.float32 if single else np.float64)
        np.testing.assert_allclose(found.value, expected, rtol=2e-6 if single else 1e-13)
    with_gradient = f(Tensor(x, requires_grad=True))
    assert with_gradient.requires_grad and with_gradient.shape == expected.shape
    if name != "step":
        assert check(f, x + 1e-3) is None


WHOLE = {
    "sort": F.sort, "relu": F.relu, "exp": F.exp, "concatenate": lambda x: F.concatenate([x, x]),
    "stack": lambda x: F.stack([x, x]), "pad": lambda x: F.pad(x, ((0, 1), (0, 0))),
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers_become_float64(name):
    for large in (2, 10**20):  # which has more than 64 bits
        assert WHOLE[name]([[-large, 1], [2, 0]]).dtype == np.float64


def test_an_index_that_is_a_tensor_stays_the_one_that_a_plan_feeds():
    index = Tensor([2, 0])
    assert F.pick(Tensor(X, requires_grad=True), index).node.inputs[1] is index


@pytest.mark.parametrize("function", [F.softmax, F.log_softmax, F.sort])
def test_along_the_last_axis_nothing_is_transposed(function):
    x = Tensor(X, requires_grad=True)
    for axis in (-1, 1):
        assert function(x, axis).node.inputs == (x,)


def test_where_takes_any_condition_and_either_side():
    a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    for condition in ([True, False], np.array([1, 0]), Tensor([True, False]), Tensor([2.0, 0.0])):
        np.testing.assert_array_equal(F.where(condition, a, b).value, [1, 4])
    np.testing.assert_array_equal(F.where(True, Tensor(a), 0.0).value, a)
    assert check(lambda a, b: F.where([True, False], a, b), a, b) is None


def test_codes_are_looked_up_in_a_table_per_column():
    tables = [np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0], [6.0], [7.0]])]
    found = F.embedding(np.array([[1.0, 2.0], [0.0, 0.0]]), tables)
    np.testing.assert_array_equal(found.value, [[3, 4, 7], [1, 2, 5]])


@pytest.mark.parametrize("shape", [(3, 2, 4), (2, 4)])
def test_a_feature_product_has_weights_per_feature_or_one_for_all(shape):
    x, w = (
        np.sin(np.arange(30.0)).reshape(5, 3, 2),
        np.cos(np.arange(np.prod(shape))).reshape(shape),
    )
    found = F.feature_product(x, w)
    each = np.broadcast_to(w, (3, 2, 4))
    np.testing.assert_allclose(found.value, np.einsum("ndi,dio->ndo", x, each), rtol=1e-13)
    assert check(F.feature_product, x, w) is None


def by_hand(x, w, b, stride, padding, dilation, groups):
    """Convolution, one window after the other."""
    x = np.pad(x, ((0, 0), *padding, (0, 0)))
    (n, height, width, _), (kh, kw, own, filters) = x.shape, w.shape
    rows = (height - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    columns = (width - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    y, per_group = np.zeros((n, rows, columns, filters)), filters // groups
    for i, j, o in np.ndindex(rows, columns, filters):
        first = o // per_group * own
        window = x[:, i * stride[0] :, j * stride[1] :, first : first + own]
        window = window[:, : dilation[0] * kh : dilation[0], : dilation[1] * kw : dilation[1]]
        y[:, i, j, o] = np.sum(window * w[..., o], axis=(1, 2, 3))
    return y + (0 if b is None else b)


PADDED = ((1, 0), (0, 2))
SAME = ((1, 1), (1, 1))
# the images and filters, the options, the operation
CONVOLUTIONS = {
    "plain": ((2, 6, 5, 3), (3, 2, 3, 4), {}, Convolution),
    "padding": ((2, 6, 5, 3), (3, 2, 3, 4), {"padding": PADDED}, Convolution),
    "stride down": ((2, 6, 5, 3), (3, 2, 3, 4), {"stride": (2, 1)}, Convolution),
    "stride across": ((2, 6, 5, 3), (3, 3, 3, 4), {"stride": (1, 2), "padding": PADDED}, Convolution),
    "dilation": ((2, 6, 7, 3), (3, 2, 3, 4), {"dilation": (2, 3)}, Convolution),
    "groups": ((2, 6, 5, 4), (3, 2, 2, 6), {"groups": 2}, Convolution),
    "depthwise": ((2, 6, 5, 4), (3, 2, 1, 4), {"groups": 4}, Depthwise),
    "depthwise with options": ((2, 9, 9, 3), (2, 2, 1, 6), {"groups": 3, "stride": (2, 1), "padding": PADDED, "dilation": (1, 2)}, Depthwise),
    "depthwise of two channels": ((2, 6, 5, 2), (3, 2, 1, 4), {"groups": 2}, Depthwise),
    "one channel": ((2, 6, 5, 1), (3, 2, 1, 4), {"groups": 1}, Convolution),
    "large": ((1, 64, 64, 64), (3, 3, 64, 64), {"padding": SAME}, Winograd),
    "large with stride": ((1, 64, 64, 64), (3, 3, 64, 64), {"padding": SAME, "stride": (2, 2)}, Convolution),
    "large with dilation": ((1, 64, 64, 64), (3, 3, 64, 64), {"padding": SAME, "dilation": (2, 2)}, Convolution),
    "large in groups": ((1, 64, 64, 64), (3, 3, 32, 64), {"padding": SAME, "groups": 2}, Convolution),
}  # fmt: skip


@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize("with_bias", [True, False])
def test_a_convolution_is_its_formula_by_the_operation_that_suits_it(name, with_bias):
    images, filters, options, operation = CONVOLUTIONS[name]
    x, w = (np.sin(np.arange(np.prod(shape))).reshape(shape) for shape in (images, filters))
    b = np.arange(1.0, filters[-1] + 1) if with_bias else None
    given = {
        "stride": (1, 1),
        "padding": ((0, 0), (0, 0)),
        "dilation": (1, 1),
        "groups": 1,
    } | options
    if name.startswith("large"):
        assert operation_of(x, w, b, options) is operation
        return
    found = F.convolution(Tensor(x, requires_grad=True), w, b, **options)
    assert type(found.node.primitive) is operation
    np.testing.assert_allclose(found.value, by_hand(x, w, b, **given), rtol=1e-12, atol=1e-12)


def operation_of(x, w, b, options):
    """The operation alone: large images take a while."""

    class Chosen(Exception):
        pass

    def chosen(primitive, *inputs):
        raise Chosen(primitive, [one.shape for one in inputs])

    before, F.apply = F.apply, chosen
    try:
        F.convolution(x, w, b, **options)
    except Chosen as found:
        primitive, shapes = found.args
    finally:
        F.apply = before
    assert shapes == [one.shape for one in (x, w, b) if one is not None]
    assert primitive.padding == SAME
    return type(primitive)
