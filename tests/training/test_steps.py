"""One step: its phases, the loss that it returns, the layers' state, and what an error or another thread leaves."""

from types import SimpleNamespace

import numpy as np
import pytest

from nettrain.config.run_config import Regularization
from nettrain.data.part import Part
from nettrain.nn.layer import Layer
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network
from nettrain.optim import Optimizer
from nettrain.training.engine import step as module
from nettrain.training.engine.closure_update import ClosureUpdate
from nettrain.training.engine.ema import Average
from nettrain.training.engine.gradient import GradientComputation
from nettrain.training.engine.partition import Partition
from nettrain.training.engine.penalty import Penalty
from nettrain.training.engine.step import Step
from nettrain.training.engine.threads import run_serially
from nettrain.training.engine.update import Update

X, Y = np.sin(np.arange(60)).reshape(20, 3), np.arange(20) % 2
WEIGHTS = np.arange(20) / 8
ROWS = np.array([4, 0, 19, 7, 3])
NORMED = [{"type": "dense", "units": 4}, {"type": "batch_norm", "momentum": 0.5}, "tanh", "dropout", {"type": "dense", "units": 2}]  # fmt: skip
PLAIN = [{"type": "dense", "units": 4}, "tanh", {"type": "dense", "units": 2}]


def step_of(layers=NORMED, batch_size=5, *, weights=None, closure=None, **options):
    network = Network([Layer.parse(layer) for layer in layers], (3,), dtype="float64")
    update = (
        Update(network.vector, Optimizer.parse("sgd"), Regularization())
        if closure is None
        else ClosureUpdate(network.vector, closure, Regularization(), seed=0)
    )
    part = Part(X.copy(), Y, weights=weights)
    return Step(network, Loss.parse("cross_entropy"), update, part, 2, batch_size, **options)


def state_of(step):
    return {name: array.copy() for name, array in step.network.state.items()}


def same(one, other):
    return all(np.array_equal(array, other[name]) for name, array in one.items())


@pytest.mark.parametrize("batch_size", [5, 2])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("replay", [True, False])
def test_the_loss_is_that_of_the_next_step_and_changes_nothing(batch_size, weights, replay):
    step = step_of(batch_size=batch_size, weights=weights, replay=replay)
    values, state = step.network.vector.values.copy(), state_of(step)
    step.network.vector.gradient.fill(np.nan)
    loss = step.loss(ROWS)
    assert type(loss) is float and np.isnan(step.network.vector.gradient).all()
    assert np.array_equal(step.network.vector.values, values) and same(state, step.network.state)
    assert step(ROWS, 0.1) == pytest.approx(loss, rel=1e-12) and step.update.steps == 1
    assert not np.array_equal(step.network.vector.values, values)
    assert step.weight(ROWS) == (5 if weights is None else WEIGHTS[ROWS].sum())


def test_the_phases_of_a_step_can_be_wrapped():
    plain, wrapped, seen = step_of(batch_size=2), step_of(batch_size=2), []

    def wrap(name, phase):
        def call(*args, **options):
            seen.append(name)
            return phase(*args, **options)

        return call

    wrapped.instrument(wrap)
    assert wrapped(ROWS, 0.1) == plain(ROWS, 0.1)
    assert np.array_equal(wrapped.network.vector.values, plain.network.vector.values)
    assert seen == ["gather", "compute"] * 3 + ["update"]


@pytest.mark.parametrize("asked", [True, False])
def test_what_is_asked_of_a_step_is_asked_of_its_computation(asked):
    threads, run_tasks = (lambda: 2), (lambda tasks: None)
    step = step_of(PLAIN, replay=asked, compiled=asked, threads=threads, run_tasks=run_tasks)
    computation = step.computation
    assert computation.replay is asked and computation._compiled is asked
    assert computation.threads is threads and computation.run_tasks is run_tasks
    assert computation.batch is step.batch and computation.partition is step.partition


def test_unless_more_is_asked_for_a_step_is_replayed_by_numpy_on_one_thread():
    step = step_of(PLAIN)
    own = GradientComputation(step.network, step.computation.loss, step.batch, partition=Partition(1))  # fmt: skip
    for computation in (step.computation, own):
        assert computation.replay is True and computation._compiled is False
        assert computation.threads() == 1 and computation.run_tasks is run_serially
    vector = step.network.vector
    assert Penalty(vector, Regularization(l1=1.0))._loop is Average(0.9, vector)._loop is None
    assert step.update._compiled is False and len(step.update._workspaces) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_buffers_have_the_type_of_the_network_and_the_targets_that_the_loss_takes(dtype):
    network = Network([Layer.parse({"type": "dense", "units": 3})], (3,), dtype=dtype)
    update = Update(network.vector, Optimizer.parse("sgd"), Regularization())
    step = Step(network, Loss.parse("binary_cross_entropy"), update, Part(X, Y), 3, 5)
    assert step.batch.x.dtype == step.batch.y.dtype == dtype
    np.testing.assert_array_equal(step.part.y, np.eye(3)[Y])


@pytest.mark.parametrize("batch_size", [5, 2])
def test_rows_without_weight_change_nothing(batch_size):
    step = step_of(PLAIN, batch_size, weights=np.zeros(20))
    before = step.network.vector.values.copy()
    assert step(ROWS, 0.1) == 0 and step.update.steps == 1
    np.testing.assert_array_equal(step.network.vector.values, before)


class Augmenter:
    """Notes where in the run it is called."""

    mixes = False

    def __init__(self):
        self.seen = []

    def __call__(self, x, step, micro_batch):
        self.seen.append((len(x), step, micro_batch))


def test_augmentations_have_a_place_for_each_step_and_micro_batch():
    augmenter = Augmenter()
    step = step_of(PLAIN, 2, augmenter=augmenter)
    step(ROWS, 0.1)
    step.loss(ROWS[:3])
    step(ROWS[:2], 0.1)
    step.gather(ROWS[:2], 7)
    first, second = [(2, 0, 0), (2, 0, 1), (1, 0, 2)], [(2, 1, 0), (1, 1, 1), (2, 1, 0), (2, 7, 0)]
    assert augmenter.seen == first + second


@pytest.mark.parametrize("partition", [None, Partition(2)])
@pytest.mark.parametrize("replay", [True, False])
def test_the_state_of_layers_moves_once_per_micro_batch(partition, replay):
    step = step_of(batch_size=3, partition=partition, replay=replay)
    mean, layer = np.zeros(4), step.network.parameters
    w, b = layer["dense_1.w"].value.copy(), layer["dense_1.b"].value.copy()
    for rows in (ROWS[:3], ROWS[3:]):
        mean = 0.5 * mean + 0.5 * (X[rows] @ w + b).mean(0)
    step(ROWS, 0.1)
    np.testing.assert_allclose(step.network.state["batch_norm_1.mean"], mean, rtol=1e-12)


def test_batches_without_targets_are_refused():
    network = step_of().network
    update = Update(network.vector, Optimizer.parse("sgd"), Regularization())
    with pytest.raises(ValueError, match="without targets cannot be trained on"):
        Step(network, Loss.parse("cross_entropy"), update, Part(X), 2, 5)


@pytest.mark.parametrize(("layers", "whole"), [(NORMED, False), (PLAIN, True)])
def test_a_step_that_is_broken_off_is_whole_unless_state_has_moved(layers, whole):
    step, calls = step_of(layers, 2), []

    def wrap(name, phase):
        def call(*args, **options):
            calls.append(name)
            if calls.count("gather") == 2:
                raise KeyboardInterrupt
            return phase(*args, **options)

        return call

    assert step.whole is True
    step(ROWS, 0.1)
    assert step.whole is True
    step.instrument(wrap)
    with pytest.raises(KeyboardInterrupt):
        step(ROWS, 0.1)
    assert step.whole is whole and step.update.steps == 1


def test_a_loss_that_is_not_finite_moves_neither_weights_nor_state():
    for batch_size in (5, 2):
        step = step_of(batch_size=batch_size)
        step.part.x[ROWS[0]] = np.nan
        values, state = step.network.vector.values.copy(), state_of(step)
        assert not np.isfinite(step(ROWS, 0.1))
        assert step.update.steps == 0 and np.array_equal(step.network.vector.values, values)
        assert same(state, step.network.state)


class Closure:
    """Asks twice, and says what the gradient held before and after."""

    def __init__(self, fails=False):
        self.fails, self.seen = fails, []

    def state(self, size, dtype):
        return {}

    def minimise(self, w, slots, evaluate, *, lr, t, generator):
        gradient = np.empty_like(w)
        self.seen += [evaluate(w), evaluate(w, gradient), gradient]
        if self.fails:
            raise KeyboardInterrupt
        w -= lr * gradient


def test_an_optimizer_that_asks_gets_the_mean_loss_and_its_gradient_where_it_wants_it():
    closure = Closure()
    asking, plain = step_of(closure=closure, weights=WEIGHTS), step_of(weights=WEIGHTS)
    wanted, compute = [], asking._compute
    asking._compute = lambda n, **options: wanted.append(options) or compute(n, **options)
    for _ in range(2):
        loss = plain(ROWS, 0.1)
        assert asking(ROWS, 0.1) == pytest.approx(loss, rel=1e-12)
        first, second, gradient = closure.seen[-3:]
        assert first == second == pytest.approx(loss / WEIGHTS[ROWS].sum(), rel=1e-12)
        np.testing.assert_allclose(gradient, plain.network.vector.gradient, rtol=1e-12)
    np.testing.assert_allclose(asking.network.vector.values, plain.network.vector.values)
    assert [one["want_gradient"] for one in wanted] == [False, False, True] * 2
    assert [one["step"] for one in wanted] == [0, 0, 0, 1, 1, 1]
    assert same(state_of(asking), plain.network.state)  # which moved once per step
    assert asking.whole is True


def test_an_optimizer_that_asks_finds_the_loss_0_of_rows_without_weight():
    closure = Closure()
    step = step_of(PLAIN, closure=closure, weights=np.zeros(20))
    assert step(ROWS, 0.1) == 0 and step.update.steps == 1
    first, second, gradient = closure.seen
    assert first == second == 0 and not gradient.any()


def test_an_optimizer_that_is_broken_off_leaves_no_whole_step():
    step = step_of(closure=Closure(fails=True))
    with pytest.raises(KeyboardInterrupt):
        step(ROWS, 0.1)
    assert step.whole is False
    other = step_of(closure=Closure(fails=True))
    other.part.x[ROWS[0]] = np.nan
    assert not np.isfinite(other(ROWS, 0.1)) and other.whole is True


class Lazy(np.ndarray):
    """Rows that take long, perhaps from a file."""


@pytest.mark.parametrize(("slow", "stored", "changes", "threads", "busy", "ahead"), [
    (False, False, False, 4, 1, False),
    (False, False, True, 4, 1, True),
    (False, False, True, 2, 1, True),
    (False, False, True, 1, 1, False),
    (False, False, True, 2, 2, False),
    (True, False, False, 4, 1, True),
    (True, False, False, 2, 2, False),
    (True, True, False, 2, 2, True),
    (True, True, False, 1, 1, False),
    (False, True, False, 4, 1, False),
])  # fmt: skip
def test_batches_are_gathered_ahead_where_that_pays(
    monkeypatch, slow, stored, changes, threads, busy, ahead
):
    monkeypatch.setattr(module, "LazyRows", Lazy)
    step = step_of(PLAIN)
    x = X.view(Lazy)
    x.slow_to_take, x.in_file = slow, stored
    object.__setattr__(step.part, "x", x)
    step.batch.augmenter = SimpleNamespace() if changes else None
    made = []

    class Prefetch:
        def __init__(self, batch):
            made.append(batch)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            made.append("ended")

    monkeypatch.setattr(module, "Prefetch", Prefetch)
    for error in (None, KeyError):
        made.clear()
        try:
            with step.prefetching(threads, busy):
                assert (type(step._prefetch) is Prefetch) == ahead
                if error:
                    raise error
        except KeyError:
            pass
        assert made == ([step.batch, "ended"] if ahead else []) and step._prefetch is None


@pytest.mark.parametrize(("batch_size", "announced"), [
    (5, [([1, 2], 1, 0)]),
    (2, [([19, 7], 0, 1), ([3], 0, 2), ([1, 2], 1, 0)]),
])  # fmt: skip
def test_what_is_gathered_next_is_announced(batch_size, announced):
    step, seen = step_of(PLAIN, batch_size), []
    step._prefetch = SimpleNamespace(
        announce=lambda request: seen.append((request[0].tolist(), *request[1:])),
        gather=step.batch.gather,
    )
    step(ROWS, 0.1, np.array([1, 2, 5, 6, 8, 9])[: 2 if batch_size == 5 else None])
    assert seen == announced
    seen.clear()
    step(ROWS, 0.1)
    assert seen == ([] if batch_size == 5 else [([19, 7], 1, 1), ([3], 1, 2)])
