"""The update: clipping and penalties by hand, PyTorch's weights after 100 steps, blocks that change no bit."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from nettrain import streams
from nettrain.config.run_config import Regularization
from nettrain.data.part import Part
from nettrain.layers.activation import Activation as ActivationLayer
from nettrain.layers.dense import Dense
from nettrain.nn.activation import Activation
from nettrain.nn.initializer import Initializer
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network
from nettrain.nn.parameter import Parameter
from nettrain.nn.vector import ParameterVector
from nettrain.optim import ClosureOptimizer, Optimizer
from nettrain.schedules import RunLength, Schedule, Scheduled
from nettrain.training.engine import blocks as module
from nettrain.training.engine import penalty as penalty_module
from nettrain.training.engine.closure_update import ClosureUpdate
from nettrain.training.engine.penalty import Penalty
from nettrain.training.engine.step import Step
from nettrain.training.engine.update import Update, Workspace

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "optimizers.npz")
CASES = json.loads(str(GOLDEN["cases"]))
W, B = np.array([1.0, -2.0, 0.0, 4.0]), np.array([3.0, -5.0])
GW, GB = np.array([0.5, 1.0, -1.0, 2.0]), np.array([-1.0, 2.0])


def vector_of(w, b, dtype="float64"):
    """A vector of some weights, which are decayed, and some biases, which are not."""
    zeros = Initializer.parse("zeros")
    shapes = {"b": Parameter(b.shape, zeros, decayed=False), "w": Parameter(w.shape, zeros)}
    vector = ParameterVector(shapes, np.dtype(dtype))
    vector.views["w"][...], vector.views["b"][...] = w, b
    return vector


def one_step(regularization=None, clip_norm=None):
    """W and B after a step of 0.1 against GW and GB."""
    vector = vector_of(W, B)
    vector.gradient_views["w"][...], vector.gradient_views["b"][...] = GW, GB
    update = Update(vector, Optimizer.parse("sgd"), regularization or Regularization(), clip_norm)
    update(0.1)
    assert update.steps == 1
    return vector.views["w"], vector.views["b"]


@pytest.mark.parametrize(("regularization", "penalty", "gradient"), [
    ({}, 0.0, 0 * W),
    ({"l2": 0.1}, 0.1 * 21, 2 * 0.1 * W),
    ({"l1": 0.1}, 0.1 * 7, 0.1 * np.array([1, -1, 0, 1])),
    ({"l1": 0.3, "l2": 0.05}, 0.3 * 7 + 0.05 * 21, 2 * 0.05 * W + 0.3 * np.array([1, -1, 0, 1])),
])  # fmt: skip
def test_penalties_are_those_of_the_formula_on_weights_and_leave_biases_alone(
    regularization, penalty, gradient
):
    w, b = one_step(Regularization(**regularization))
    np.testing.assert_allclose(w, W - 0.1 * (GW + gradient), rtol=1e-14)
    np.testing.assert_allclose(b, B - 0.1 * GB, rtol=1e-14)
    assert Update(
        vector_of(W, B), Optimizer.parse("sgd"), Regularization(**regularization)
    ).penalty() == pytest.approx(penalty)


@pytest.mark.compiled
@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0.0), (0.0, 0.05), (0.3, 0.05)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_compiled_gradient_of_penalties_is_numpys_bit_for_bit(l1, l2, dtype):
    found = []
    weights = np.array([1.5, -2.0, 0.0, -0.0, np.nan, np.inf, -np.inf, 1e-30], dtype)
    for compiled in (True, False):
        g, work = np.linspace(-1, 3, 8).astype(dtype), np.full(8, np.nan, dtype)
        penalty = Penalty(vector_of(W, B), Regularization(l1=l1, l2=l2), compiled=compiled)
        penalty.add_gradient(weights, g, work)
        assert bool(penalty) == bool(l1 or l2) and (penalty.l1, penalty.l2) == (l1, l2)
        found.append(g.tobytes())
    assert found[0] == found[1]


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_no_penalty_is_0_whatever_the_weights_are(value):
    assert Penalty(vector_of(np.array([value]), B), Regularization()).value() == 0


def test_factors_that_follow_a_schedule_are_at_first_those_of_the_first_step():
    falling = Scheduled(value=0.5, schedule=Schedule.parse("linear"))
    length = RunLength(steps_per_epoch=1, epochs=4)
    penalty = Penalty(vector_of(W, B), Regularization(l1=falling, l2=falling), length=length)
    assert (penalty.l1, penalty.l2) == (0.5, 0.5)


def test_penalties_are_summed_in_float64():
    vector = vector_of(np.full(100_000, 0.1, np.float32), B, "float32")
    penalty = Penalty(vector, Regularization(l1=1.0, l2=1.0))
    w = float(np.float32(0.1))
    assert penalty.value() == pytest.approx(1e5 * w + 1e5 * float(np.float32(w * w)), rel=1e-12)


@pytest.mark.parametrize(("clip_value", "clip_norm", "expected"), [
    (1.5, None, [0.5, 1, -1, 1.5]),
    (None, 0.5, None),
    (1.0, 1.0, None),
])  # fmt: skip
def test_values_are_clipped_then_the_norm(clip_value, clip_norm, expected):
    update = Update(
        vector_of(W, B), Optimizer.parse("sgd"), Regularization(), clip_norm, clip_value=clip_value
    )
    g = GW.copy()
    update.clip(g)
    if expected is None:
        expected = GW if clip_value is None else np.clip(GW, -clip_value, clip_value)
        expected = expected * clip_norm / np.sqrt((expected**2).sum())
    np.testing.assert_allclose(g, expected, rtol=1e-14)


NORM = np.sqrt((GW**2).sum() + (GB**2).sum())


@pytest.mark.parametrize(
    ("clip_norm", "factor"), [(None, 1), (NORM + 1e-9, 1), (NORM / 2, 0.5), (1e-3, 1e-3 / NORM)]
)
def test_a_gradient_longer_than_clip_norm_is_shortened_to_it(clip_norm, factor):
    w, b = one_step(clip_norm=clip_norm)
    np.testing.assert_allclose(W - w, 0.1 * factor * GW, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(B - b, 0.1 * factor * GB, rtol=1e-12, atol=1e-15)


def test_clipping_comes_before_the_penalty():
    w, _ = one_step(Regularization(l2=0.1), clip_norm=NORM / 2)
    np.testing.assert_allclose(w, W - 0.1 * (0.5 * GW + 0.2 * W), rtol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_network_loss_step_and_update_reach_pytorchs_weights(case):
    row = CASES[case]
    optimizer, schedule = (
        Optimizer.parse(row["optimizer"]),
        Schedule.parse(row.get("schedule", "constant")),
    )
    network = Network(
        [Dense(units=8), ActivationLayer(function=Activation.parse("tanh")), Dense(units=3)],
        (6,),
        dtype="float64",
    )
    order = ("dense_1.w", "dense_1.b", "dense_2.w", "dense_2.b")
    ends = np.cumsum([network.vector.views[name].size for name in order])[:-1]
    for name, values in zip(order, np.split(GOLDEN["start"], ends), strict=True):
        network.vector.views[name].flat = values
    batches = GOLDEN["batches"]
    if isinstance(optimizer, ClosureOptimizer):
        update, batches = (
            ClosureUpdate(network.vector, optimizer, Regularization(l2=row["l2"]), seed=0),
            [np.arange(40)] * row["steps"],
        )
    else:
        update = Update(network.vector, optimizer, Regularization(l2=row["l2"]))
    step = Step(
        network,
        Loss.parse("cross_entropy"),
        update,
        Part(GOLDEN["x"], GOLDEN["targets"]),
        3,
        len(batches[0]),
    )
    for number, rows in enumerate(batches):
        step(
            rows,
            schedule.rate(
                optimizer.lr, number, row.get("steps_per_epoch", 1), row.get("epochs", 100)
            ),
        )
    found = np.concatenate([network.vector.views[name].ravel() for name in order])
    np.testing.assert_allclose(found, GOLDEN[case], rtol=1e-8, atol=0)


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("block", [1, 7, 40, 41, 60])
def test_blocks_change_no_bit(name, block, monkeypatch):
    def after_5_steps(size):
        monkeypatch.setattr(module, "BLOCK", size)
        vector = vector_of(np.linspace(-1, 1, 40), np.linspace(0, 1, 15), "float32")
        update = Update(
            vector, Optimizer.parse(name), Regularization(l1=0.01, l2=0.02), clip_norm=1.0
        )
        for t in range(5):
            vector.gradient[...] = streams.generator(0, "g", t).normal(size=55)
            update(0.1)
        return vector.values.tobytes(), {key: slot.tobytes() for key, slot in update.slots.items()}

    assert after_5_steps(block) == after_5_steps(32768)


@pytest.mark.parametrize(("groups", "tasks"), [(None, []), (1, []), (2, [2]), (3, [3]), (9, [3])])
def test_as_many_tasks_update_blocks_as_are_asked_for_and_there_are_blocks(
    groups, tasks, monkeypatch
):
    monkeypatch.setattr(module, "BLOCK", 20)
    seen = []
    update = Update(
        vector_of(np.ones(50), np.ones(0)), Optimizer.parse("sgd"), Regularization(),
        run_tasks=lambda given: seen.append(len(given)), **({} if groups is None else {"groups": groups}),
    )  # fmt: skip
    update(0.1)
    assert seen == tasks


def test_the_longest_blocks_come_first_and_each_is_completed_before_it_is_updated(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 20)
    zeros, seen = Initializer.parse("zeros"), []
    shapes = {"a": Parameter((5,), zeros), "b": Parameter((50,), zeros, rate=0.5)}
    vector = ParameterVector(shapes, np.dtype("float64"))

    def complete(block):
        assert (vector.values[block.part] == 0).all()
        vector.gradient[block.part] = 1
        seen.append(block.part.stop - block.part.start)

    update = Update(vector, Optimizer.parse("sgd"), Regularization())
    update(0.1, complete)
    assert seen == [20, 20, 10, 5]
    np.testing.assert_allclose(vector.values, [-0.1] * 5 + [-0.05] * 50)


@pytest.mark.parametrize("clip_value", [None, 1.0])
@pytest.mark.parametrize("clip_norm", [None, 1.0])
def test_only_what_is_not_clipped_can_be_updated_by_blocks(clip_norm, clip_value):
    update = Update(vector_of(W, B), Optimizer.parse("sgd"), Regularization(), clip_norm, clip_value=clip_value)  # fmt: skip
    assert update.by_blocks is (clip_norm is clip_value is None)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_working_vectors_have_the_type_of_the_weights_and_are_cut_once(dtype, name):
    rule = Optimizer.parse(name)
    space = Workspace(rule, 7, np.dtype(dtype), keeps=True)
    for n in (7, 4):
        vectors = space.work(n)
        assert space.work(n) is vectors and len(vectors) == max(1, rule.work)
        for vector in (*vectors, space.before(n)):
            assert vector.dtype == dtype and vector.shape == (n,)
    assert Workspace(rule, 7, np.dtype(dtype), keeps=False).before(7).size == 0


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 2.0, -1.0])
def test_a_rules_decay_multiplies_the_decayed_weights_whatever_it_is(factor, monkeypatch):
    rule, vector = Optimizer.parse("sgd"), vector_of(W, B)
    monkeypatch.setattr(type(rule), "decay", lambda self, lr: factor)
    Update(vector, rule, Regularization())(0.1)  # the gradient is 0
    assert vector.views["w"].tolist() == (factor * W).tolist()
    assert vector.views["b"].tolist() == B.tolist()


def test_where_nothing_is_trained_nothing_is_updated():
    frozen = {"w": Parameter((3,), Initializer.parse("zeros"), trainable=False)}
    vector = ParameterVector(frozen, np.dtype("float64"))
    vector.values[...] = W[:3]
    update = Update(vector, Optimizer.parse("adam"), Regularization(l2=1.0), 1.0)
    update(0.1)
    assert update.steps == 1 and vector.values.tolist() == W[:3].tolist()


@pytest.mark.parametrize("compiled", [False, True])
def test_the_loops_of_rule_and_penalties_are_compiled_where_that_is_asked_for(
    compiled, monkeypatch
):
    used = []
    loop = SimpleNamespace(compiled=lambda g, w, l1, l2: used.append((l1, l2)))
    monkeypatch.setattr(penalty_module, "_penalty_loop", loop)
    rule = Optimizer.parse("momentum")
    monkeypatch.setattr(
        type(rule),
        "compiled_update",
        lambda self, w, g, slots: lambda lr, t, space: used.append((lr, t, len(w), *slots)),
    )
    update = Update(vector_of(W, B), rule, Regularization(l1=0.2, l2=0.3), compiled=compiled)
    update(0.1)
    assert used == ([(0.2, 0.3), (0.1, 1, 6, *rule.slots)] if compiled else [])


def test_a_short_batch_takes_the_mean_over_its_own_rows():
    x, y = streams.generator(0, "x").normal(size=(7, 2)), np.arange(7) % 2

    def gradient(rows, batch_size):
        network = Network([Dense(units=2)], (2,), dtype="float64")
        update = Update(network.vector, Optimizer.parse("sgd"), Regularization())
        before = network.vector.values.copy()
        loss = Step(network, Loss.parse("cross_entropy"), update, Part(x, y), 2, batch_size)(
            rows, 1.0
        )
        return loss, before - network.vector.values

    short, exact = gradient(np.array([2, 5, 1]), 7), gradient(np.array([2, 5, 1]), 3)
    assert short[0] == exact[0] and short[1].tobytes() == exact[1].tobytes()
    alone = [gradient(np.array([row]), 1) for row in (2, 5, 1)]
    assert short[0] == pytest.approx(sum(loss for loss, _ in alone))
    np.testing.assert_allclose(short[1], sum(g for _, g in alone) / 3, rtol=1e-12, atol=1e-15)
