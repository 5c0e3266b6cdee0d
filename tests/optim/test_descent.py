"""Facts of gradient descent that the optimizers must show: where it lands, oscillates, diverges or stalls."""

import numpy as np
import pytest

from nettrain.optim import Optimizer


def descend(name, theta, gradient, lr, steps):
    """The places visited, the start included (steps + 1, d)."""
    optimizer = Optimizer.parse(name)
    theta = np.array(theta, dtype=float)
    slots = optimizer.state(theta.size, theta.dtype)
    work = [np.empty_like(theta) for _ in range(optimizer.work)]
    visited = [theta.copy()]
    for t in range(1, steps + 1):
        optimizer.update(theta, gradient(theta), slots, work, lr=lr, t=t)
        visited.append(theta.copy())
    return np.array(visited)


@pytest.mark.parametrize("alpha", [0.1, 0.5, 0.9, 1.0, 1.1])
def test_on_a_parabola_the_error_shrinks_by_1_minus_2_alpha_a_step(alpha):
    error = descend("sgd", [5.0], lambda theta: 2 * (theta - 2), alpha, 20)[:, 0] - 2
    np.testing.assert_allclose(error, 3 * (1 - 2 * alpha) ** np.arange(21), rtol=1e-9, atol=1e-12)


def test_on_a_parabola_a_rate_of_one_half_lands_at_once_one_oscillates_and_more_diverges():
    def places(alpha):
        return descend("sgd", [5.0], lambda theta: 2 * (theta - 2), alpha, 20)[:, 0]

    assert set(places(0.5)[1:]) == {2.0}
    assert set(places(1.0)) == {5.0, -1.0}
    assert abs(places(1.1)[-1] - 2) > 100


def test_a_saddle_met_head_on_stalls_descent():
    visited = descend(
        "sgd", [1.0, 0.0], lambda theta: np.array([2, -2]) * theta, 0.1, 200
    )  # of x^2 - y^2
    assert np.abs(visited[-1]).max() < 1e-12


@pytest.mark.parametrize(
    ("name", "lr", "steps"), [("sgd", 0.3, 3000), ("momentum", 0.1, 2000), ("adam", 0.01, 3000)]
)
def test_a_linear_model_reaches_the_least_squares_solution(name, lr, steps):
    x = np.vander(np.linspace(-1, 1, 9), 3)
    y = np.cos(3 * x[:, 1])
    visited = descend(
        name, np.zeros(3), lambda theta: 2 / len(y) * x.T @ (x @ theta - y), lr, steps
    )
    np.testing.assert_allclose(visited[-1], np.linalg.lstsq(x, y)[0], atol=1e-7)
