"""Derivatives of functions: by hand, by differences, forward and reverse mode agree."""

import numpy as np
import pytest

from nettrain.autodiff import functions as F
from nettrain.autodiff.check import central_differences, check
from nettrain.autodiff.functional import grad, jacobian, jvp, value_and_grad, vjp
from nettrain.autodiff.tensor import Tensor

W = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
X = np.array([0.3, -1.2, 0.8])


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


# name: (function, point, Jacobian by hand)
CASES = {
    "linear": (lambda x: W @ x, X, lambda x: W),
    "square": (lambda x: x * x, X, lambda x: np.diag(2 * x)),
    "product of all": (
        lambda x: x[0] * x[1] * x[2],
        X,
        lambda x: np.array([x[1] * x[2], x[0] * x[2], x[0] * x[1]]),
    ),
    "outer": (
        lambda x: x.reshape(3, 1) * x,
        X,
        lambda x: np.einsum("ik,j->ijk", np.eye(3), x) + np.einsum("i,jk->ijk", x, np.eye(3)),
    ),
    "softmax": (F.softmax, X, lambda x: np.diag(softmax(x)) - np.outer(softmax(x), softmax(x))),
    "log softmax": (F.log_softmax, X, lambda x: np.eye(3) - softmax(x)),
    "logsumexp": (F.logsumexp, X, softmax),
    "relu": (F.relu, X, lambda x: np.diag((x > 0) * 1.0)),
    "sigmoid of a dense layer": (
        lambda x: F.sigmoid(W @ x),
        X,
        lambda x: (s := 1 / (1 + np.exp(-W @ x)))[:, None] * (1 - s[:, None]) * W,
    ),
    "norm": (lambda x: F.sqrt((x * x).sum()), X, lambda x: x / np.sqrt(np.sum(x * x))),
    "largest": (lambda x: x.max(), X, lambda x: np.array([0.0, 0, 1])),
    "trace of a square": (lambda x: ((x @ x) * np.eye(2)).sum(), W[:, :2], lambda x: 2 * x.T),
    "identity": (lambda x: x, X, lambda x: np.eye(3)),
    "constant": (lambda x: Tensor([1.0, 2.0]), X, lambda x: np.zeros((2, 3))),
    "one number": (lambda x: F.exp(x * 2), np.array(0.5), lambda x: 2 * np.exp(2 * x)),
}


@pytest.mark.parametrize("name", CASES)
def test_hand_differences_forward_and_reverse_mode_agree(name):
    f, x, by_hand = CASES[name]
    y = f(Tensor(x)).numpy()
    expected = np.broadcast_to(by_hand(x), y.shape + x.shape)
    np.testing.assert_allclose(jacobian(f)(x), expected, rtol=1e-13, atol=1e-15)

    value, pull = vjp(f, x)
    dy = np.cos(np.arange(y.size) + 1).reshape(y.shape)
    np.testing.assert_array_equal(value, y)
    np.testing.assert_allclose(
        pull(dy)[0], np.tensordot(dy, expected, axes=y.ndim), rtol=1e-12, atol=1e-15
    )

    v = np.sin(np.arange(x.size) + 1).reshape(x.shape)
    value, dout = jvp(f, (x,), (v,))
    np.testing.assert_array_equal(value, y)
    np.testing.assert_allclose(dout, np.tensordot(expected, v, axes=x.ndim), rtol=1e-12, atol=1e-15)

    weighted = central_differences(lambda a: float(np.sum(f(Tensor(a)).value * dy)), [x], 0)
    np.testing.assert_allclose(pull(dy)[0], weighted, rtol=1e-7, atol=1e-8)
    assert check(f, x) is None


@pytest.mark.parametrize("name", CASES)
def test_the_gradient_is_the_jacobian_of_a_single_element(name):
    f, x, _ = CASES[name]
    y, dx = value_and_grad(lambda x: f(x).sum())(x)
    assert y == pytest.approx(float(f(Tensor(x)).value.sum()), rel=1e-15)
    np.testing.assert_array_equal(dx, grad(lambda x: f(x).sum())(x))
    np.testing.assert_allclose(
        dx, jacobian(f)(x).reshape(-1, *x.shape).sum(0), rtol=1e-12, atol=1e-15
    )


def test_any_of_several_arguments_can_be_asked_for():
    def f(a, b):
        return (a * b * b).sum()

    a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    np.testing.assert_array_equal(grad(f)(a, b), b * b)
    np.testing.assert_array_equal(grad(f, argnum=1)(a, b), 2 * a * b)
    np.testing.assert_array_equal(jacobian(lambda a, b: a * b, argnum=1)(a, b), np.diag(a))
    value, pull = vjp(f, a, b)
    assert value == 41
    np.testing.assert_array_equal(pull(1.0), [b * b, 2 * a * b])
    assert jvp(f, (a, b), ([1.0, 0.0], [0.0, 1.0]))[1] == 9 + 16


def test_an_argument_that_is_not_used_has_gradient_zero():
    np.testing.assert_array_equal(grad(lambda a, b: a.sum(), argnum=1)([1.0], [2.0, 3.0]), [0, 0])
    np.testing.assert_array_equal(jacobian(lambda a, b: a, argnum=1)([1.0], [2.0, 3.0]), [[0, 0]])
    np.testing.assert_array_equal(jvp(lambda a, b: a * 2, ([1.0], [2.0]), ([0.0], [1.0]))[1], [0])


def test_whole_numbers_are_taken_as_float64_and_float32_stays():
    assert grad(lambda x: x * x)(3) == 6
    assert grad(lambda x: x * x)(10**20) == 2e20  # of more than 64 bits
    assert jacobian(lambda x: x * x)(np.ones(2, np.float32)).dtype == np.float32
    assert grad(lambda x: (x * x).sum())(np.ones(2, np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    "f", [lambda x: x, lambda x: x * x, lambda x: Tensor([1.0, 2.0], dtype="f4")]
)
@pytest.mark.parametrize("tangent", [[1, 2], [1.0, 2.0], np.ones(2)], ids=repr)
def test_the_derivative_along_a_tangent_has_the_type_of_the_result(f, tangent):
    y, dout = jvp(f, (np.ones(2, np.float32),), (tangent,))
    assert y.dtype == dout.dtype == np.float32


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (lambda: grad(lambda x: x * 2)([1.0, 2.0]), r"one element, got one of shape \(2,\)"),
        (
            lambda: jvp(lambda x: x * 2, ([1.0, 2.0],), ([1.0],)),
            r"tangent of shape \(1,\).*argument of shape \(2,\)",
        ),
        (lambda: vjp(lambda x: x * 2, [1.0, 2.0])[1]([1.0]), r"dy has shape \(1,\)"),
    ],
)
def test_a_result_or_direction_of_the_wrong_shape_is_an_error(run, words):
    with pytest.raises(ValueError, match=words):
        run()
