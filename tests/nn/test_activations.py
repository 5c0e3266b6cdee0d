"""Every activation against an independent formula, and what the layers expect of all of them."""

import math

import numpy as np
import pytest

from nettrain.autodiff import functions as f
from nettrain.autodiff.backward import backward
from nettrain.autodiff.check import check
from nettrain.autodiff.tensor import Tensor
from nettrain.component import names, to_mapping
from nettrain.nn.activation import Activation
from nettrain.nn.layer import Layer
from nettrain.nn.network import Network

X = np.concatenate([[-3.0, -1.0, -0.25, 0.0, 0.5, 1.0], np.linspace(-4, 4, 24)]).reshape(6, 5)
EXTREME = np.array([[-1000.0, -90.0, 0.0, 90.0, 1000.0]])

# By YAML name: the mapping, the formula in plain NumPy, the initializer that a dense layer in front should use.
ROWS = {
    "elu": ({"alpha": 0.7}, lambda x: np.where(x > 0, x, 0.7 * np.expm1(np.minimum(x, 0))), "he"),
    "gelu": ({}, np.vectorize(lambda x: x / 2 * math.erfc(-x / math.sqrt(2))), "he"),
    "identity": ({}, lambda x: x, "xavier"),
    "leaky_relu": ({"slope": 0.2}, lambda x: np.where(x > 0, x, 0.2 * x), "he"),
    "mish": ({}, lambda x: x * np.tanh(np.logaddexp(0, x)), "he"),
    "prelu": ({"initial": 0.3}, lambda x: np.where(x > 0, x, 0.3 * x), "he"),
    "relu": ({}, lambda x: np.where(x > 0, x, 0.0), "he"),
    "selu": (
        {},
        lambda x: (
            1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))
        ),
        "lecun",
    ),
    "sigmoid": ({}, lambda x: np.exp(-np.logaddexp(0, -x)), "xavier"),
    "silu": ({}, lambda x: x * np.exp(-np.logaddexp(0, -x)), "he"),
    "softmax": (
        {},
        lambda x: (
            np.exp(x - x.max(1, keepdims=True))
            / np.exp(x - x.max(1, keepdims=True)).sum(1, keepdims=True)
        ),
        "xavier",
    ),
    "softplus": ({}, lambda x: np.logaddexp(0, x), "he"),
    "softsign": ({}, lambda x: np.sign(x) * (1 - 1 / (1 + np.abs(x))), "xavier"),
    "step": ({}, lambda x: (x > 0) * 1.0, "xavier"),
    "tanh": ({}, np.tanh, "xavier"),
}
every = pytest.mark.parametrize("name", names(Activation))


def made(name):
    return Activation.parse({"type": name} | ROWS[name][0])


def test_every_activation_has_a_row():
    assert set(ROWS) == set(names(Activation))


@every
def test_values_are_the_formulas(name):
    np.testing.assert_allclose(
        made(name).apply(Tensor(X)).value, ROWS[name][1](X), rtol=1e-13, atol=1e-15
    )


@every
@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (2, 3, 2, 4)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shape_and_dtype_are_kept(name, shape, dtype):
    y = made(name).apply(Tensor(np.zeros(shape, dtype)))
    assert (y.shape, y.value.dtype) == (shape, dtype)


@every
def test_derivatives_agree_with_finite_differences(name):
    assert check(made(name).apply, X) is None


@every
def test_extreme_inputs_stay_finite_and_right(name):
    y = made(name).apply(Tensor(EXTREME)).value
    assert np.isfinite(y).all()
    np.testing.assert_allclose(y, ROWS[name][1](EXTREME), rtol=1e-13, atol=1e-300)


@every
def test_the_yaml_form_reads_back(name):
    activation = made(name)
    mapping = to_mapping(activation)
    assert mapping["type"] == name
    assert Activation.parse(mapping) == activation


@every
def test_the_bare_name_is_enough(name):
    assert Activation.parse(name) == Activation.parse({"type": name})


@every
def test_the_initializer_in_front_is_the_one_for_its_family(name):
    assert made(name).initializer == ROWS[name][2]


def test_the_derivative_of_relu_at_0_is_0():
    x = Tensor(np.zeros((1, 1)), requires_grad=True)
    assert backward(made("relu").apply(x).sum())[x].item() == 0


def test_softmax_and_sigmoid_of_3_1_minus_3():
    x = Tensor(np.array([[3.0, 1.0, -3.0]]))
    assert made("softmax").apply(x).value.round(2).tolist() == [[0.88, 0.12, 0.0]]
    assert made("sigmoid").apply(x).value.round(2).tolist() == [[0.95, 0.73, 0.05]]


def test_tanh_is_a_stretched_sigmoid():
    stretched = 2 * made("sigmoid").apply(Tensor(2 * X)).value - 1
    np.testing.assert_allclose(
        made("tanh").apply(Tensor(X)).value, stretched, rtol=1e-12, atol=1e-15
    )


@every
def test_bounds_and_rectifies_say_what_the_function_does(name):
    low, left, right, high = (
        made(name).apply(Tensor(np.array([[-1e6], [-1.0], [1.0], [1e6]]))).value[:, 0]
    )
    bounded = low != high and abs(low) < 100 and abs(high) < 100
    found = type(made(name)).bounds
    assert (found is not None) == bounded
    assert found is None or np.allclose(found, (low, high), atol=1e-5)
    assert type(made(name)).rectifies == (low == left == 0 and right > 0 and not bounded)


def test_prelu_learns_one_slope_or_one_a_unit():
    for shared, shape in ((True, (1,)), (False, (5,))):
        layer = Layer.parse(
            {"type": "activation", "function": {"type": "prelu", "initial": 0.3, "shared": shared}}
        )
        network = Network([layer], (5,), dtype="float64")
        slope = network.vector.views["activation_1.slope"]
        assert slope.shape == shape and (slope == 0.3).all()
        assert network.vector.decayed == slice(0, 0)
        slope[...] = np.arange(slope.size) + 2
        np.testing.assert_allclose(
            network(Tensor(X), training=True).value, np.where(X > 0, X, slope * X), rtol=1e-15
        )


def test_prelu_at_its_start_is_leaky_relu():
    network = Network([Layer.parse("prelu")], (5,), dtype="float64")
    np.testing.assert_array_equal(
        network(Tensor(X)).value, made("leaky_relu").replace(slope=0.25).apply(Tensor(X)).value
    )


def test_the_tails_of_gelu_are_right_in_proportion_where_1_plus_erf_would_cancel():
    x = -np.geomspace(0.01, 37, 400)
    exact = np.array([v / 2 * math.erfc(-v / math.sqrt(2)) for v in x])
    np.testing.assert_allclose(made("gelu").apply(Tensor(x)).value, exact, rtol=1e-12)
    narrow = made("gelu").apply(Tensor(x[x > -10].astype(np.float32))).value
    np.testing.assert_allclose(narrow, exact[x > -10], rtol=2e-5)


def test_erf_is_right_in_proportion_near_0_and_over_more_than_a_block():
    x = np.concatenate([np.geomspace(1e-300, 6, 30_000), -np.geomspace(1e-300, 6, 10_000)])
    np.testing.assert_allclose(f.erf(x).value, [math.erf(v) for v in x], rtol=1e-15)
