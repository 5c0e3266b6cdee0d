"""The gradient of a batch: what is read anew, what is left alone, who computes which shards, and layers whose control flow depends on data."""

from typing import ClassVar

import numpy as np
import pytest
from thread_group import in_processes

from nettrain.config.run_config import Regularization
from nettrain.data.part import Part
from nettrain.errors import ConfigError
from nettrain.losses.mse import Mse
from nettrain.nn.layer import Layer
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network
from nettrain.optim import Optimizer
from nettrain.training.engine import gradient as module
from nettrain.training.engine.distributed_partition import DistributedPartition
from nettrain.training.engine.partition import Partition
from nettrain.training.engine.step import Step
from nettrain.training.engine.threads import run_serially
from nettrain.training.engine.update import Update

X = np.sin(np.arange(60)).reshape(20, 3)
VALUES = np.cos(np.arange(40)).reshape(20, 2)
BATCHES = [np.arange(0, 7), np.arange(7, 14), np.arange(14, 20)]
DENSE = {"type": "dense", "units": 2}
HIDDEN = {"type": "dense", "units": 4}


class Steering(Layer):
    """Looks at its values to decide what to do."""

    independent_rows = True

    def output_shape(self, shape):
        return shape

    def apply(self, x, scope):
        return x * 2 if x.sum() > 0 else x * x


class SteeringLoss(Mse):
    """Looks at the outputs."""

    def rows(self, outputs, targets):
        return super().rows(outputs * 2 if outputs.sum() > 0 else outputs, targets)


def step_of(
    layers, loss="mse", said=None, *, batch_size=7, dtype="float64", weights=None, **options
):
    layers = [one if isinstance(one, Layer) else Layer.parse(one) for one in layers]
    report = (lambda *line: None) if said is None else lambda *line: said.append(line)
    network = Network(layers, (3,), seed=3, dtype=dtype, report=report)
    update = Update(network.vector, Optimizer.parse("sgd"), Regularization())
    loss = Loss.parse(loss) if isinstance(loss, str) else loss
    return Step(network, loss, update, Part(X, VALUES, weights=weights), 2, batch_size, **options)


def trained(step):
    """The losses, and the weights after a few steps."""
    losses = [step(rows, 0.1) for rows in BATCHES]
    return losses, step.network.vector.values.tobytes(), {
        name: array.tobytes() for name, array in step.network.state.items()
    }  # fmt: skip


@pytest.mark.parametrize("first", ["tanh", "dropout", "layer_norm"])
@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("batch_size", [7, 3])
def test_a_replay_reads_inputs_anew_and_draws_as_an_eager_run(first, shards, batch_size):
    replayed, eager = (
        trained(
            step_of(
                [first, DENSE], partition=Partition(shards), replay=replay, batch_size=batch_size
            )
        )
        for replay in (True, False)
    )
    assert replayed == eager


@pytest.mark.parametrize("shards", [1, 3])
def test_steps_may_be_replayed_or_not_in_turn(shards):
    step = step_of(["dropout", DENSE], partition=Partition(shards))
    losses = []
    for rows, replay in zip(BATCHES, (False, True, False), strict=True):
        step.computation.replay = replay
        losses.append(step(rows, 0.1))
    assert losses == trained(step_of(["dropout", DENSE], partition=Partition(shards)))[0]


class Noting(Layer):
    """Notes how many rows it is told that the whole batch has."""

    independent_rows = True
    seen: ClassVar[list] = []

    def output_shape(self, shape):
        return shape

    def apply(self, x, scope):
        self.seen.append(scope.rows)
        return x * 1


@pytest.mark.parametrize(("shards", "replay", "times"), [
    (1, True, [1, 0, 1]), (3, True, [3, 0, 3]), (1, False, [1] * 3), (3, False, [3] * 3),
])  # fmt: skip
def test_layers_are_told_how_many_rows_the_whole_batch_has(shards, replay, times):
    Noting.seen.clear()
    trained(step_of([Noting(), DENSE], partition=Partition(shards), replay=replay))
    assert Noting.seen == [
        n for n, count in zip((7, 7, 6), times, strict=True) for _ in range(count)
    ]


@pytest.mark.parametrize("shards", [1, 2])
def test_a_batch_is_recorded_once_per_number_of_rows(shards):
    step, seen = step_of([HIDDEN, "tanh", DENSE], partition=Partition(shards)), []
    step.computation.watch = lambda recording, plans: seen.append((recording, len(plans)))
    trained(step)
    assert [plans for _, plans in seen] == [shards] * 2  # 7 and 6 rows
    assert all(not recording.data_dependent for recording, _ in seen)
    trained(step)
    assert len(seen) == 2


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(("shards", "replay"), [(1, True), (2, True), (2, False), (1, False)])
def test_a_replay_is_fused_and_in_memory_that_shards_share_unlike_an_eager_run(
    shards, replay, compiled, monkeypatch
):
    seen, plan = [], module.Plan

    def made(*given, arena, compiled, fused, **options):
        seen.append((arena is not None, compiled, fused))
        return plan(*given, arena=arena, compiled=False, fused=fused, **options)

    monkeypatch.setattr(module, "Plan", made)
    step = step_of([HIDDEN, DENSE], partition=Partition(shards), replay=replay, compiled=compiled)
    step(BATCHES[0], 0.1)
    plans = shards if shards > 1 or replay else 0  # a whole batch needs none to run eagerly
    assert seen == [(True, compiled, True) if replay else (False, False, False)] * plans


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_makes_the_gradient_that_of_the_mean_has_the_type_of_the_network(dtype):
    made = step_of([DENSE], dtype=dtype).computation._dy(7)
    assert made.dtype == dtype and made == np.dtype(dtype).type(1 / 7)


@pytest.mark.parametrize("shards", [1, 2])
@pytest.mark.parametrize("replay", [True, False])
def test_a_row_of_weight_3_counts_as_three_rows_and_one_of_weight_0_as_none(shards, replay):
    weights = np.ones(20)
    weights[[4, 9]] = 3, 0
    options = {"partition": Partition(shards), "replay": replay}
    weighted = step_of([HIDDEN, "tanh", DENSE], weights=weights, **options)
    plain = step_of([HIDDEN, "tanh", DENSE], **options)
    weighted(np.array([4, 9, 11]), 0.1)
    plain(np.array([4, 4, 4, 11]), 0.1)
    found, expected = (step.network.vector.gradient for step in (weighted, plain))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("shards", [3, 4])  # of 4 the second process adds up two of its own
@pytest.mark.parametrize("layers", [[HIDDEN, "tanh", DENSE], [HIDDEN, {"type": "batch_norm"}, "dropout", DENSE]])  # fmt: skip
def test_processes_train_as_one(layers, shards):
    expected = trained(step_of(layers, partition=Partition(shards)))
    found = in_processes(
        2, lambda group: trained(step_of(layers, partition=DistributedPartition(shards, group)))
    )
    assert found == [expected] * 2


def test_a_process_reads_the_rows_of_its_own_shards_alone():
    def run(group):
        step = step_of([DENSE], partition=DistributedPartition(2, group))
        step.batch.x.fill(99)
        step(BATCHES[0], 0.1)
        return (step.batch.x[:, 0] == 99).tolist()

    assert in_processes(2, run) == [[False] * 4 + [True] * 3, [True] * 4 + [False] * 3]


@pytest.mark.parametrize(("shards", "size", "vectors"), [(1, 1, 1), (3, 1, 3), (5, 2, 3)])
def test_a_gradient_is_held_for_each_shard_that_is_computed_here(shards, size, vectors):
    def run(group):
        partition = DistributedPartition(shards, group)
        return len(step_of([DENSE], partition=partition).computation._gradients)

    assert max(in_processes(size, run)) == vectors


def test_before_anything_is_computed_no_gradient_waits_and_no_state_moves():
    network = (step := step_of(["batch_norm", DENSE])).network
    assert step.computation.pending is None
    before = {name: array.copy() for name, array in network.state.items()}
    step.computation.commit()
    for name, array in network.state.items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("replay", [True, False])
@pytest.mark.parametrize("shards", [1, 2])
def test_a_gradient_that_is_not_wanted_or_not_finite_is_not_computed(replay, shards):
    step = step_of(
        [HIDDEN, "batch_norm", DENSE], partition=Partition(shards), replay=replay
    )  # whose shards wait for each other
    gradient = step.network.vector.gradient
    gradient.fill(7)
    step.batch.gather(BATCHES[0])
    value = step.computation(7, step=0, want_gradient=False)
    assert np.isfinite(value) and type(value) is float and (gradient == 7).all()
    step.batch.y[0] = np.nan
    if replay and shards == 1:
        return  # forward and backward in one: what it writes is not used
    assert np.isnan(step.computation(7, step=0)) and (gradient == 7).all()


@pytest.mark.parametrize(("shards", "threads", "tasks"), [
    (1, 2, []), (2, 1, []), (2, 2, [2]), (2, 4, [2]), (3, 2, [2]), (3, 3, [3]),
])  # fmt: skip
def test_as_many_shards_are_computed_at_once_as_there_are_threads(shards, threads, tasks):
    seen = []

    def run_tasks(given):
        seen.append(len(given))
        run_serially(given)

    step = step_of(
        [HIDDEN, "tanh", DENSE], partition=Partition(shards), run_tasks=run_tasks, threads=lambda: threads
    )  # fmt: skip
    assert trained(step) == trained(step_of([HIDDEN, "tanh", DENSE], partition=Partition(shards)))
    assert seen == 3 * tasks


@pytest.mark.parametrize(("layers", "loss", "where"), [
    ([HIDDEN, Steering(), DENSE], "mse", "steering_1"),
    ([HIDDEN, "tanh", DENSE], SteeringLoss(), "steering_loss"),
])  # fmt: skip
def test_what_looks_at_values_trains_eagerly_in_one_piece_and_says_so(layers, loss, where):
    said = []
    step = step_of(layers, loss, said, partition=Partition(2))
    plain = step_of(layers, loss, replay=False)
    assert step.computation.data_dependent is False
    assert trained(step) == trained(plain)
    assert step.computation.data_dependent is True
    assert [path for path, _ in said] == [where] and "operation by operation" in said[0][1]


def test_what_looks_at_values_is_not_trained_in_several_processes():
    def run(group):
        trained(step_of([HIDDEN, Steering(), DENSE], partition=DistributedPartition(2, group)))

    with pytest.raises(
        ConfigError, match="data-dependent control flow, so its batches are not divided"
    ):
        in_processes(2, run)
