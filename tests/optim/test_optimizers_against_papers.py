"""Optimizers that PyTorch lacks, against their papers' equations, written out element by element in Python's own numbers."""

import math

import numpy as np
import pytest

from nettrain.component import names
from nettrain.optim import Optimizer, Rule


def gradients(steps, size):
    return [[math.sin(3 * i + t) + (i - 1) / (t + 1) for i in range(size)] for t in range(steps)]


def lion(w, rates, b1, b2, decay):
    """Chen et al. 2023, Algorithm 2: c = b1 m + (1 - b1) g;  w = w - lr (sign(c) + decay w);  m = b2 m + (1 - b2) g."""
    w, m = list(w), [0.0] * len(w)
    for lr, g in zip(rates, gradients(len(rates), len(w)), strict=True):
        for i in range(len(w)):
            c = b1 * m[i] + (1 - b1) * g[i]
            w[i] = w[i] - lr * (math.copysign(1, c) * (c != 0) + decay * w[i])
            m[i] = b2 * m[i] + (1 - b2) * g[i]
    return w


CASES = [
    ({"type": "lion", "lr": 0.01}, lambda w, rates: lion(w, rates, 0.9, 0.99, 0.0)),
    (
        {"type": "lion", "lr": 0.05, "beta1": 0.5, "beta2": 0.7, "weight_decay": 0.2},
        lambda w, rates: lion(w, rates, 0.5, 0.7, 0.2),
    ),
]


@pytest.mark.parametrize(("mapping", "expected"), CASES, ids=[str(mapping) for mapping, _ in CASES])
def test_the_weights_after_100_steps_are_the_papers(mapping, expected):
    rule = Optimizer.parse(mapping)
    start = [0.5, -1.0, 2.0, 0.1]
    rates = [rule.lr * (1 - t / 200) for t in range(100)]
    w, state = np.array(start), rule.state(4, np.float64)
    for t, (lr, g) in enumerate(zip(rates, gradients(100, 4), strict=True), start=1):
        rule.advance(state, t)
        w *= rule.decay(lr)
        rule.update(
            w, np.array(g), state, [np.full(4, np.nan) for _ in range(rule.work)], lr=lr, t=t
        )
    np.testing.assert_allclose(w, expected(start, rates), rtol=1e-10, atol=0)


def test_momentum_keeps_the_rate_inside_the_velocity():
    momentum = Optimizer.parse({"type": "momentum", "beta": 0.9})
    w, state, work = np.zeros(1), momentum.state(1, np.float64), [np.empty(1)]
    momentum.update(w, np.ones(1), state, work, lr=1.0, t=1)
    momentum.update(w, np.ones(1), state, work, lr=0.1, t=2)
    assert w[0] == pytest.approx(-1.0 - (0.9 * 1.0 + 0.1 * 1.0))


def test_nesterov_steps_from_where_momentum_is_about_to_take_it():
    nesterov = Optimizer.parse({"type": "nesterov", "beta": 0.9})
    w, v = 1.0, 0.0
    found, state = np.array([1.0]), nesterov.state(1, np.float64)
    for t, lr in enumerate([0.1, 0.1, 0.1], start=1):
        ahead = w - 0.9 * v  # the original form: the gradient of w^2 at the place looked ahead to
        v = 0.9 * v + lr * 2 * ahead
        w -= v
        g = 2 * found
        nesterov.update(found, g, state, [np.empty(1)], lr=lr, t=t)
        assert found[0] == pytest.approx(w - 0.9 * v)  # the rule keeps the place looked ahead to


@pytest.mark.parametrize(("name", "constants"), [
    ("momentum", {"beta": 0.9}), ("nesterov", {"beta": 0.9}), ("rmsprop", {"rho": 0.9}),
    *((name, {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}) for name in ("adam", "adamw", "amsgrad", "nadam", "radam")),
])  # fmt: skip
def test_the_constants_are_those_that_the_papers_recommend(name, constants):
    optimizer = Optimizer.parse(name)
    assert {key: getattr(optimizer, key) for key in constants} == constants


@pytest.mark.parametrize("name", ["adamw", "lion"])
def test_a_decay_of_its_own_is_scaled_by_the_rate(name):
    rule = Optimizer.parse({"type": name, "weight_decay": 0.1})
    assert rule.decay(0.5) == pytest.approx(0.95)


def test_only_adamw_and_lion_decay_weights_themselves():
    rules = [Optimizer.parse(name) for name in names(Optimizer)]
    assert {
        rule.name()
        for rule in rules
        if isinstance(rule, Rule) and rule.replace(**heaviest(rule)).decay(0.5) != 1
    } == {"adamw", "lion"}


def heaviest(rule):
    return {"weight_decay": 0.1} if hasattr(rule, "weight_decay") else {}
