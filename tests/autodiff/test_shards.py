"""Rows divided into shards give the gradient of the whole batch, whatever runs them and however they are divided."""

import numpy as np
import pytest

from nettrain.autodiff import functions as F
from nettrain.autodiff.backward import backward
from nettrain.autodiff.ops.moments import Moments
from nettrain.autodiff.ops.normalization import Normalize
from nettrain.autodiff.plan.memory import Arena
from nettrain.autodiff.plan.plan import Plan
from nettrain.autodiff.plan.shards import Shards
from nettrain.autodiff.tensor import Tensor, apply

ROWS = 12
SHAPES = {"w": (3, 5), "gamma": (5,), "beta": (5,), "v": (5, 2)}


def plain(x, p):
    return F.tanh(x @ p["w"] + p["beta"]) @ p["v"]


def normalized(x, p):
    """Two synchronization_points, one after the other, the second's value used twice."""
    a = x @ p["w"]
    h = F.relu(apply(Normalize(1e-5), a, apply(Moments(), a), p["gamma"], p["beta"]))
    moments = apply(Moments(), h)
    return apply(Normalize(1e-3), h, moments, p["gamma"], p["beta"]) @ p["v"] + moments[0, 0]


def normalized_input(x, p):
    """A synchronization point that needs no gradient."""
    return apply(Normalize(1e-5), x, apply(Moments(), x), p["w"][:, 0], p["w"][:, 1]) @ p["w"]


FUNCTIONS = {"plain": plain, "normalized": normalized, "normalized input": normalized_input}
DIVISIONS = [(12,), (6, 6), (4, 4, 4), (1, 7, 4)]


def serial(tasks):
    for task in tasks:
        task()


def backwards(tasks):
    for task in reversed(tasks):
        task()


def arrays(dtype):
    generator = np.random.Generator(np.random.PCG64(5))
    return {
        name: generator.normal(size=shape).astype(dtype) for name, shape in SHAPES.items()
    }, generator


def sharded(name, division, run_tasks=serial, dtype=np.float64, arenas=None):
    """(loss, gradients) of new rows, on plans that were recorded with other rows and weights.

    With a number of arenas both passes of a shard run one after the other, on memory that it shares.
    """
    values, generator = arrays(dtype)
    parameters = {
        key: Tensor(np.ones_like(value), requires_grad=True) for key, value in values.items()
    }
    x = np.linspace(-1, 1, ROWS * 3).reshape(ROWS, 3).astype(dtype) ** 3
    totals, plans, slots, start = [], [], [], 0
    memory = [Arena() for _ in range(arenas or len(division))]
    for i, rows in enumerate(division):
        outputs = FUNCTIONS[name](Tensor(x[start : start + rows], feed=True), parameters)
        totals.append((outputs * outputs).sum() * (1 / ROWS))
        slots.append({p: np.full_like(p.value, np.nan) for p in parameters.values()})
        arena = memory[i % len(memory)]
        plans.append(Plan(totals[-1], into=slots[-1], share=rows / ROWS, arena=arena))
        start += rows
    shards = Shards(plans, run_tasks, arenas=arenas)
    x[...] = generator.normal(size=x.shape)
    for key, parameter in parameters.items():
        parameter.value[...] = values[key]
    if arenas is None:
        shards.forward()
        shards.backward()
    else:
        assert shards.undivided
        shards.forward_and_backward()
    gradients = {key: sum(slot[p] for slot in slots) for key, p in parameters.items()}
    return sum(float(t.value) for t in totals), gradients, x.copy(), values


@pytest.mark.parametrize("division", DIVISIONS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_shards_together_give_the_gradient_of_the_batch(name, division):
    loss, gradients, x, values = sharded(name, division)
    parameters = {key: Tensor(value, requires_grad=True) for key, value in values.items()}
    outputs = FUNCTIONS[name](Tensor(x), parameters)
    total = (outputs * outputs).sum() * (1 / ROWS)
    whole = backward(total)
    assert loss == pytest.approx(total.item(), rel=1e-12)
    for key, parameter in parameters.items():
        np.testing.assert_allclose(gradients[key], whole[parameter], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("division", DIVISIONS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_order_in_which_shards_run_changes_no_bit(name, division):
    loss, gradients, *_ = sharded(name, division, serial, np.float32)
    other_loss, other, *_ = sharded(name, division, backwards, np.float32)
    assert loss == other_loss
    for key, gradient in gradients.items():
        np.testing.assert_array_equal(gradient, other[key])


@pytest.mark.parametrize("arenas", [1, 2, 4])
@pytest.mark.parametrize("division", DIVISIONS)
def test_shards_that_share_memory_in_turn_give_the_same_bits(division, arenas):
    loss, gradients, *_ = sharded("plain", division, serial, np.float32)
    other_loss, other, *_ = sharded("plain", division, backwards, np.float32, arenas)
    assert loss == other_loss
    for key, gradient in gradients.items():
        np.testing.assert_array_equal(gradient, other[key])


@pytest.mark.parametrize("division", DIVISIONS)
def test_merged_moments_are_those_of_all_rows(division):
    generator = np.random.Generator(np.random.PCG64(1))
    x = generator.normal(3, 2, size=(ROWS, 4))
    parts = np.split(x, np.cumsum(division)[:-1])
    outs = [np.stack([part.mean(0), part.var(0)]) for part in parts]
    Moments().merge(outs, [len(part) for part in parts])
    np.testing.assert_allclose(outs[0], [x.mean(0), x.var(0)], rtol=1e-14)


@pytest.mark.parametrize(("name", "undivided"), [
    ("plain", True), ("normalized", False), ("normalized input", False),
])  # fmt: skip
def test_a_plan_is_undivided_where_neither_pass_has_a_synchronization_point(name, undivided):
    values, _ = arrays(np.float64)
    parameters = {key: Tensor(value, requires_grad=True) for key, value in values.items()}
    y = FUNCTIONS[name](Tensor(np.ones((4, 3)), feed=True), parameters)
    assert (
        Plan(y, dict(zip(parameters.values(), values.values(), strict=True))).undivided == undivided
    )


@pytest.mark.parametrize("shape", [(4, 3), (2, 5, 4, 3)])
def test_a_synchronization_point_tells_of_how_many_rows_each_moment_is(shape):
    x = Tensor(np.ones(shape), feed=True)
    (point,) = Plan(apply(Moments(), x) * 2, None).synchronization_points.values()
    assert point.elements == x.value.size // 3
    assert point.x is x.value and point.out.shape == (2, 3)
