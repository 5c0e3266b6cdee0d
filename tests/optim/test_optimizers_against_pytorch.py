"""Every optimizer, alone and under every schedule, against the weights that PyTorch reaches: tests/golden/optimizers.npz."""

import json
from pathlib import Path

import numpy as np
import pytest

from nettrain import streams
from nettrain.component import names
from nettrain.optim import ClosureOptimizer, Optimizer
from nettrain.schedules import Schedule

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "optimizers.npz")
CASES = json.loads(str(GOLDEN["cases"]))
SHAPES = ((6, 8), (8,), (8, 3), (3,))
ENDS = np.cumsum([int(np.prod(shape)) for shape in SHAPES])
DECAYED = np.concatenate([np.full(np.prod(shape), len(shape) == 2) for shape in SHAPES])
ELSEWHERE = {
    "lion": "PyTorch has none: test_optimizers_against_papers.py",
    "random_search": "draws at random: test_searches.py",
    "genetic": "draws at random: test_searches.py",
}


def views(flat):
    """w1, b1, w2, b2 of the flat vector."""
    return [
        part.reshape(shape) for part, shape in zip(np.split(flat, ENDS[:-1]), SHAPES, strict=True)
    ]


def objective(flat, x, targets, l2, gradient):
    """Mean softmax cross-entropy of tanh(x w1 + b1) w2 + b2, plus l2 sum w^2 over w1 and w2; its gradient, derived by hand."""
    w1, b1, w2, b2 = views(flat)
    h = np.tanh(x @ w1 + b1)
    e = np.exp(h @ w2 + b2)
    p = e / e.sum(axis=1, keepdims=True)
    dlogits = (p - np.eye(3)[targets]) / len(x)
    dz = dlogits @ w2.T * (1 - h * h)
    gradient[...] = np.concatenate([
        (x.T @ dz + 2 * l2 * w1).ravel(), dz.sum(axis=0), (h.T @ dlogits + 2 * l2 * w2).ravel(), dlogits.sum(axis=0)
    ])  # fmt: skip
    return -np.log(p[np.arange(len(x)), targets]).mean() + l2 * ((w1**2).sum() + (w2**2).sum())


def descend(rule, schedule, w, row):
    """100 mini-batches with an element-wise rule."""
    state, g = rule.state(w.size, w.dtype), np.empty_like(w)
    for step, rows in enumerate(GOLDEN["batches"]):
        objective(w, GOLDEN["x"][rows], GOLDEN["targets"][rows], row["l2"], g)
        lr = schedule.rate(rule.lr, step, row.get("steps_per_epoch", 1), row.get("epochs", 100))
        work = [
            np.full(w.size, np.nan) for _ in range(rule.work)
        ]  # NaN: no step may depend on what stands there
        rule.advance(state, step + 1)
        w[DECAYED] *= rule.decay(lr)
        rule.update(w, g, state, work, lr=lr, t=step + 1)


def search(optimizer, w, row):
    """Steps over all rows with an optimizer that asks for the loss itself."""

    def evaluate(params, gradient=None):
        return objective(
            params,
            GOLDEN["x"],
            GOLDEN["targets"],
            row["l2"],
            np.empty_like(w) if gradient is None else gradient,
        )

    state = optimizer.state(w.size, w.dtype)
    for t in range(1, row["steps"] + 1):
        optimizer.minimise(
            w, state, evaluate, lr=optimizer.lr, t=t, generator=streams.generator(0, "optimizer", t)
        )


@pytest.mark.parametrize("case", CASES)
def test_the_weights_after_100_steps_are_pytorchs(case):
    row = CASES[case]
    optimizer = Optimizer.parse(row["optimizer"])
    w = GOLDEN["start"].copy()
    if isinstance(optimizer, ClosureOptimizer):
        search(optimizer, w, row)
    else:
        descend(optimizer, Schedule.parse(row.get("schedule", "constant")), w, row)
    np.testing.assert_allclose(w, GOLDEN[case], rtol=1e-8, atol=0)
    assert np.abs(w - GOLDEN["start"]).max() > 0.01


def test_every_optimizer_has_golden_weights_with_other_constants_or_l2():
    rows = [row["optimizer"]["type"] for row in CASES.values() if "schedule" not in row]
    assert {name for name in rows if rows.count(name) >= 2} == set(names(Optimizer)) - set(
        ELSEWHERE
    )


def test_every_optimizer_without_a_decay_of_its_own_has_golden_weights_under_l2():
    found = {row["optimizer"]["type"] for row in CASES.values() if row["l2"]}
    assert found == set(names(Optimizer)) - set(ELSEWHERE) - {"adamw"}


def test_every_schedule_has_golden_weights():
    assert {row["schedule"]["type"] for row in CASES.values() if "schedule" in row} == set(
        names(Schedule)
    ) - {"plateau", "coslog4", "flat_cos"}  # PyTorch has neither of the last two
