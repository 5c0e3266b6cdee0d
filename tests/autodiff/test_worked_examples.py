"""Examples worked by hand: small networks, derivatives, the rules of the gradient's flow, and descent."""

import numpy as np
import pytest

from nettrain.autodiff import functions as F
from nettrain.autodiff.backward import backward
from nettrain.autodiff.check import central_differences, check
from nettrain.autodiff.edges import along, paths
from nettrain.autodiff.functional import grad, jacobian, jvp, value_and_grad
from nettrain.autodiff.tensor import Tensor

generator = np.random.Generator(np.random.PCG64(5))


def rounded(x, digits=2):
    return np.round(np.asarray(x.value if isinstance(x, Tensor) else x), digits).tolist()


# A sigmoid network 2-2-2-2, y = s(W3 s(W2 s(W1 x + b1) + b2) + b3)
LAYERS = [
    (np.array([[1.0, -2.0], [-1.0, 1.0]]), np.array([1.0, 0.0])),
    (np.array([[2.0, -1.0], [-2.0, -1.0]]), np.array([0.0, 0.0])),
    (np.array([[3.0, -1.0], [-1.0, 4.0]]), np.array([-2.0, 2.0])),
]


@pytest.mark.parametrize(
    ("x", "activations"),
    [
        ([1.0, -1.0], [[0.98, 0.12], [0.86, 0.11], [0.62, 0.83]]),
        ([0.0, 0.0], [[0.73, 0.5], [0.72, 0.12], [0.51, 0.85]]),
    ],
)
def test_a_sigmoid_network_of_three_layers(x, activations):
    column, rows = Tensor(x), Tensor([x])  # as y = W x for one point, and as y = x W^T for rows
    for (w, b), expected in zip(LAYERS, activations, strict=True):
        column = F.sigmoid(w @ column + b)
        rows = F.sigmoid(rows @ w.T + b)
        assert rounded(column) == expected
        assert rounded(rows) == [expected]


def test_softmax_and_sigmoid_of_the_same_scores():
    assert rounded(F.softmax([3.0, 1.0, -3.0])) == [0.88, 0.12, 0.00]
    assert rounded(F.sigmoid([3.0, 1.0, -3.0])) == [0.95, 0.73, 0.05]


def test_tanh_is_a_scaled_sigmoid():
    x = Tensor(np.linspace(-5, 5, 21))
    np.testing.assert_allclose(
        F.tanh(x).value, (2 * F.sigmoid(2 * x) - 1).value, rtol=1e-13, atol=1e-15
    )


def test_a_linear_unit():
    assert rounded(Tensor([-0.06, 2.5, 1.4]) @ [2.7, 8.6, 0.002]) == 21.34


def test_the_derivatives_of_a_small_expression():
    # e = (a + b)(b + 1) at a = 2, b = 1
    a, b = Tensor(2.0, requires_grad=True), Tensor(1.0, requires_grad=True)
    c, d = a + b, b + 1
    e = c * d
    gradients = backward(e)
    assert [c.item(), d.item(), e.item()] == [3, 2, 6]
    assert [float(gradients[x]) for x in (a, b, c, d)] == [2, 5, 2, 3]
    assert sum(along(path) for path in paths(e, b)) == 5


POLYNOMIALS = {
    "x^2 + 35x + 12": (lambda x: x**2 + 35 * x + 12, lambda x: [2 * x + 35], 1),
    "e^x": (F.exp, lambda x: [np.exp(x)], 1),
    "10x^3y^2 + 5xy^3 + 4x + y": (
        lambda x, y: 10 * x**3 * y**2 + 5 * x * y**3 + 4 * x + y,
        lambda x, y: [30 * x**2 * y**2 + 5 * y**3 + 4, 20 * x**3 * y + 15 * x * y**2 + 1],
        2,
    ),
}


@pytest.mark.parametrize("name", POLYNOMIALS)
@pytest.mark.parametrize("point", [(0.0, 0.0), (1.0, 2.0), (-1.5, 0.5), (3.0, -2.0)])
def test_manual_numerical_forward_and_reverse_derivatives_agree(name, point):
    f, by_hand, arity = POLYNOMIALS[name]
    args = [np.array(x) for x in point[:arity]]
    for i, expected in enumerate(by_hand(*args)):
        direction = [np.array(float(i == j)) for j in range(arity)]
        numerical = central_differences(lambda *x: f(*map(Tensor, x)).item(), args, i)
        assert grad(f, i)(*args) == pytest.approx(expected, rel=1e-14)
        assert jvp(f, args, direction)[1] == pytest.approx(expected, rel=1e-14)
        assert numerical == pytest.approx(expected, rel=1e-7, abs=1e-7)


def test_the_gradient_is_perpendicular_to_the_level_curve():
    def f(p):
        return 4 * p[0] ** 2 + p[1] ** 2

    for point, expected in (((1.0, 1.0), [8, 2]), ((0.0, 5.0), [0, 10]), ((1.25, 0.0), [10, 0])):
        assert grad(f)(point).tolist() == expected
        # the curve of this level is (r/2 cos t, r sin t), its tangent is (-r/2 sin t, r cos t)
        x, y = point
        assert np.dot(grad(f)(point), [-y / 2, 2 * x]) == 0


def test_addition_distributes_multiplication_switches_and_the_maximum_routes():
    a, b = np.array([3.0, -1.0, 2.0]), np.array([1.0, 4.0, 2.0])
    dy = np.array([10.0, 20.0, 30.0])

    def pulled(f):
        return [grad(lambda a, b: (f(a, b) * dy).sum(), i)(a, b).tolist() for i in (0, 1)]

    assert pulled(lambda a, b: a + b) == [[10, 20, 30], [10, 20, 30]]
    assert pulled(lambda a, b: a * b) == [(dy * b).tolist(), (dy * a).tolist()]
    assert pulled(F.maximum) == [[10, 0, 30], [0, 20, 0]]  # the third is a tie: the first
    assert grad(lambda x: x.max())([2.0, 7.0, 7.0]).tolist() == [0, 1, 0]
    assert grad(F.relu)(0.0) == 0


def test_the_jacobian_of_relu_is_diagonal():
    assert jacobian(F.relu)([-1.0, 2.0, 0.0, 3.0]).tolist() == np.diag([0.0, 1, 0, 1]).tolist()


def test_the_gradients_of_a_dense_layer():
    w, x, dh = (
        generator.normal(size=(3, 4)),
        generator.normal(size=(4, 1)),
        generator.normal(size=(3, 1)),
    )

    def loss(w, x):
        return (w @ x * dh).sum()

    np.testing.assert_allclose(grad(loss, 0)(w, x), dh @ x.T, rtol=1e-14)  # dL/dW = dL/dh x^T
    np.testing.assert_allclose(grad(loss, 1)(w, x), w.T @ dh, rtol=1e-14)  # dL/dx = W^T dL/dh


def test_the_gradient_of_logistic_regression_is_the_loop_over_examples_and_features():
    m, features = 7, 3
    x, y, w = (
        generator.normal(size=(m, features)),
        generator.integers(0, 2, m),
        generator.normal(size=features),
    )

    def loss(w):
        p = F.sigmoid(x @ w)
        return -(y * F.log(p) + (1 - y) * F.log(1 - p)).mean()

    looped = np.zeros(features)
    for i in range(m):
        p = 1 / (1 + np.exp(-sum(x[i, j] * w[j] for j in range(features))))
        for j in range(features):
            looped[j] += (p - y[i]) * x[i, j] / m
    np.testing.assert_allclose(grad(loss)(w), looped, rtol=1e-12)
    np.testing.assert_allclose(grad(loss)(w), x.T @ (1 / (1 + np.exp(-x @ w)) - y) / m, rtol=1e-12)


@pytest.mark.parametrize("y", [-1, 1])
def test_a_regularised_likelihood_equals_the_hand_derivation(y):
    # L = 1/2 |w|^2 - lambda log p(y|x), p = 1 / (1 + e^(-y w.x)):  dL/dw = w - lambda (1 - p) y x
    w, x, weight = generator.normal(size=4), generator.normal(size=4), 0.7

    def loss(w):
        return 0.5 * (w * w).sum() - weight * F.log(1 / (1 + F.exp(-y * (w @ x))))

    p = 1 / (1 + np.exp(-y * np.dot(w, x)))
    np.testing.assert_allclose(grad(loss)(w), w - weight * (1 - p) * y * x, rtol=1e-13)
    assert check(loss, w) is None


def descend(f, start, rate, steps):
    visited = [np.array(start, dtype=float)]
    for _ in range(steps):
        visited.append(visited[-1] - rate * grad(f)(visited[-1]))
    return np.array(visited)


@pytest.mark.parametrize("rate", [0.1, 0.4, 0.5, 0.9, 1.0, 1.1])
def test_the_error_of_descent_shrinks_by_1_minus_2_alpha_a_step(rate):
    # f = (theta - 2)^2, so theta <- theta - alpha 2 (theta - 2)
    error = descend(lambda theta: (theta - 2) ** 2, 5.0, rate, 60) - 2
    np.testing.assert_allclose(error[1:], (1 - 2 * rate) * error[:-1], rtol=1e-9, atol=1e-13)
    if rate == 0.5:
        assert error[1] == 0  # lands at once
    elif rate == 1:
        assert error.tolist() == [3, -3] * 30 + [3]  # oscillates
    elif rate > 1:
        assert abs(error[-1]) > 1e4  # diverges
    else:
        assert abs(error[-1]) < 1e-5


def test_linear_descent_reaches_the_least_squares_solution():
    x = np.c_[generator.normal(size=(20, 2)), np.ones(20)]
    y = x @ [1.5, -2.0, 0.5] + generator.normal(size=20)

    def loss(w):
        return ((x @ w - y) ** 2).mean()

    reached = descend(loss, np.zeros(3), 0.2, 400)[-1]
    np.testing.assert_allclose(reached, np.linalg.lstsq(x, y, rcond=None)[0], rtol=1e-10)


def test_descent_stalls_at_a_saddle():
    def saddle(p):
        return p[0] ** 2 - p[1] ** 2

    stalled = descend(saddle, [1.0, 0.0], 0.1, 200)[-1]
    np.testing.assert_allclose(stalled, [0, 0], atol=1e-15)
    assert np.linalg.norm(value_and_grad(saddle)(stalled)[1]) < 1e-15
    assert abs(descend(saddle, [1.0, 1e-9], 0.1, 200)[-1][1]) > 1e5  # but any push leaves it
