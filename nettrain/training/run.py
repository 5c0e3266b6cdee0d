"""A run in progress: what the training loop works on and callbacks observe."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from weakref import WeakMethod

import numpy as np

from nettrain.autodiff.plan.shards import RunTasks
from nettrain.config.run_config import RunConfig
from nettrain.data.augmenter import Augmenter
from nettrain.data.part import Part
from nettrain.data.prepare import PreparedData
from nettrain.data.rows.base import LazyRows
from nettrain.nn.layer import Report
from nettrain.nn.network import to_standard_error
from nettrain.nn.vector import ParameterVector
from nettrain.optim import ClosureOptimizer, Rule
from nettrain.training.artifacts.run_directory import RunDirectory
from nettrain.training.artifacts.weights import Weights
from nettrain.training.build import build, input_shape, target_size
from nettrain.training.distributed.divided_outputs import divided_outputs
from nettrain.training.distributed.group import OneProcess, ProcessGroup
from nettrain.training.engine.closure_update import ClosureUpdate
from nettrain.training.engine.distributed_partition import DistributedPartition
from nettrain.training.engine.ema import Average
from nettrain.training.engine.partition import Partition
from nettrain.training.engine.sharding import tiles_of
from nettrain.training.engine.step import Step
from nettrain.training.engine.swa import StochasticAverage, recomputed_statistics
from nettrain.training.engine.threads import TaskRunner, usable_threads
from nettrain.training.engine.update import Update
from nettrain.training.monitor import Monitor, monitor
from nettrain.training.run_plan import RunPlan

LEARNED_ROWS = 16_384  # that layers learn from before training, where there are more


@dataclass
class Progress:
    """Where a run stands. The `last` checkpoint holds all of it, so that a resumed run is the same.

    Attributes:
        epoch: Complete epochs.
        batch: Complete steps of the epoch in progress.
        loss_sum: Of the training loss over the rows of those steps, each times its weight.
        weight: The sum of those rows' weights; without weights, their number.
        seconds: Spent in training, before a resume too.
        stop_reason: Why the run ends; a callback sets it to end the run after the epoch.
    """

    epoch: int = 0
    batch: int = 0
    loss_sum: float = 0.0
    weight: float = 0.0
    seconds: float = 0.0
    stop_reason: str | None = None


class Stopwatch:
    """The seconds that a run has trained, before a resume too."""

    def start(self, earlier: float) -> None:
        """Continue from the seconds before a resume."""
        self._started = time.monotonic() - earlier

    def seconds(self) -> float:
        """The seconds up to now."""
        return time.monotonic() - self._started


def _spread(x: np.ndarray | LazyRows) -> np.ndarray:
    """At most LEARNED_ROWS of the rows, evenly spread."""
    return x[np.unique(np.linspace(0, len(x) - 1, LEARNED_ROWS).astype(np.int64))]


class Run:
    """Network, data, update and progress of one training run.

    Args:
        plan: What was decided for it.
        prepared: Its data.
        directory: Where its files are written; None: nowhere.
        group: The processes that train it together, of which 0 writes the files; None: this one.

    Attributes:
        config: The final configuration, that of the plan.
        evaluated_parts: The parts that are evaluated at the end of each epoch.
        average_state: The layers' state for averaged weights, where it is computed anew.
        rate_scale: What a metric-driven schedule multiplies the learning rate by.
        threads: Threads that may be used.
        notes: What was decided for the user, a sentence each.
        warnings: What has gone wrong so far.
    """

    def __init__(
        self,
        plan: RunPlan,
        prepared: PreparedData,
        directory: RunDirectory | None = None,
        group: ProcessGroup | None = None,
    ) -> None:
        self.plan = plan
        self.group = group or OneProcess()
        self.config: RunConfig = plan.config
        self.prepared = prepared
        self.pipeline = prepared.pipeline
        self.directory = directory if self.group.rank == 0 else None
        self.loss = plan.loss
        self.tasks = TaskRunner()
        self.network = build(
            plan.layers, plan.config, input_shape(self.pipeline), plan.kernels, self._reporter()
        )
        self.network.length = plan.length
        if self.network.learns_from_rows:
            self.network.learn_from_rows(_spread(self.parts["train"].x))
        self.update = update_for(plan, self.network.vector, self.tasks.run)
        self.step = self._step()
        self.progress = Progress()
        self.stopwatch = Stopwatch()
        self.rate_scale = 1.0
        self.average_state: dict[str, np.ndarray] = {}
        self.notes = [*prepared.notes, *plan.notes]
        self.warnings: list[str] = []
        self.evaluated_parts = list(plan.evaluated_parts)

    def _step(self) -> Step:
        plan, train, tasks = self.plan, self.parts["train"], self.tasks
        augmentation = plan.config.dataset.augmentation
        augmenter = (
            Augmenter(
                augmentation,
                self.pipeline,
                train.x,
                seed=plan.config.seed,
                dtype=self.network.dtype,
            )
            if augmentation
            else None
        )
        return Step(
            self.network,
            self.loss,
            self.update,
            train,
            target_size(self.pipeline.schema),
            plan.batch_size,
            partition=(
                Partition(plan.shards)
                if self.group.size == 1
                else DistributedPartition(plan.shards, self.group)
            ),
            run_tasks=self.tasks.run,
            threads=lambda: tasks.threads,  # not `self`, which holds the step
            compiled=plan.kernels == "numba",
            augmenter=augmenter,
        )

    @property
    def parts(self) -> dict[str, Part]:
        """train, and validation and test where there are any."""
        return self.prepared.parts

    @property
    def threads(self) -> int:
        """Threads that may be used."""
        return self.tasks.threads

    @contextmanager
    def workers(self, threads: int | None) -> Iterator[None]:
        """Inside, the shards of a step and the chunks of an evaluation use this many threads.

        Results are identical for any number of threads.

        Args:
            threads: None: as many as cores.

        Raises:
            ConfigError: It is not a positive number.
        """
        usable = usable_threads(threads)
        rows = self.network.batched_inference.chunk_size
        chunks = max(-(-len(part) // rows) for part in self.parts.values())
        most = max(self.plan.max_parallelism, chunks)
        busy = self.plan.shards * max(map(tiles_of, self.plan.layers), default=1)
        with self.tasks.on_threads(usable, most), self.step.prefetching(usable, busy):
            yield

    def outputs(self, part: Part) -> np.ndarray:
        """The outputs of the network in evaluation mode; each process computes some of the rows."""
        network, tasks = self.network, self.tasks.run
        if self.group.size == 1 or not network.independent_rows:
            return network.outputs(part.x, tasks)
        return divided_outputs(network, part.x, tasks, self.group)

    def agreed(self, signalled: Callable[[], int | None]) -> Callable[[], int | None]:
        """What asks after signals: all processes get the same answer, that of the last step."""
        partition, self.group.signalled = self.step.partition, signalled
        if not isinstance(partition, DistributedPartition):
            return signalled
        return lambda: partition.signal or None

    def weights(self) -> Weights:
        """The current weights, in the arrays that training goes on to change."""
        average = self.update.average
        if average is None or not average.count(self.update.steps):
            return Weights(self.network.vector.values, None, self.network.state)
        return Weights(
            self.network.vector.values, average.values, self.network.state, self.average_state
        )

    @contextmanager
    def evaluated_weights(self) -> Iterator[None]:
        """Inside, the network holds the weights that are evaluated: the average, if one is kept."""
        weights, average = self.weights(), self.update.average
        if weights.average is None:
            yield
            return
        trained, state = weights.trained.copy(), weights.copy().state
        weights.trained[...] = weights.average
        if isinstance(average, StochasticAverage) and state and average.enters(self.update.steps):
            self.average_state = recomputed_statistics(
                self.network, self.parts["train"].x, self.plan.batch_size
            )
        if self.average_state:
            self.network.restore_state(self.average_state)
        try:
            yield
        finally:
            weights.trained[...] = trained
            self.network.restore_state(state)

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return self.rate_of(self.update.steps)

    def rate_of(self, step: int) -> float:
        """The learning rate of a step, counted from 0: the one just made, or a later one."""
        config = self.config
        return self.rate_scale * config.schedule.rate(
            config.optimizer.lr, step, self.plan.steps_per_epoch, config.training.epochs
        )

    def watch(self, key: str, name: str) -> Monitor:
        """A metric that every epoch is to log, for callbacks; its part is evaluated from now on.

        Args:
            key: What to blame in the message where it cannot be logged.
            name: `{train|validation}_{metric}`.
        """
        found = monitor(
            key,
            name,
            parts=self.parts,
            task=self.pipeline.schema.task,
            metrics=self.plan.metrics,
        )
        part = found.evaluated_part
        if part is not None and part not in self.evaluated_parts:
            self.evaluated_parts.append(part)
        return found

    def warn(self, warning: str) -> None:
        """Keep a warning, and log it."""
        self.warnings.append(warning)
        if self.directory is not None:
            self.directory.log(f"warning: {warning}")

    def report(self, path: str, text: str) -> None:
        """Prints what a layer shows of what passes through it, and logs it."""
        if self.group.rank == 0:
            to_standard_error(path, text)
        if self.directory is not None:
            self.directory.log(f"{path}: {text}")

    def _reporter(self) -> Report:
        """`report` for the network, which does not hold the run: the run holds the network."""
        known = WeakMethod(self.report)

        def report(path: str, text: str) -> None:
            (known() or to_standard_error)(path, text)

        return report


def average_for(plan: RunPlan, vector: ParameterVector) -> Average | StochasticAverage | None:
    """The average of the weights that is evaluated; None: the weights themselves are."""
    training = plan.config.training
    if training.swa is not None:
        return StochasticAverage(
            vector,
            start=training.swa.start,
            every=training.swa.every,
            steps_per_epoch=plan.steps_per_epoch,
        )
    if training.ema is None:
        return None
    return Average(training.ema, vector, compiled=plan.kernels == "numba")


def update_for(
    plan: RunPlan, vector: ParameterVector, run_tasks: RunTasks
) -> Update | ClosureUpdate:
    """What changes the parameters."""
    config = plan.config
    optimizer, training = config.optimizer, config.training
    average = average_for(plan, vector)
    if isinstance(optimizer, ClosureOptimizer):
        return ClosureUpdate(
            vector,
            optimizer,
            config.regularization,
            seed=config.seed,
            average=average,
            length=plan.length,
        )
    if not isinstance(optimizer, Rule):
        raise TypeError(f"{type(optimizer).__name__} is neither a Rule nor a ClosureOptimizer")
    return Update(
        vector,
        optimizer,
        config.regularization,
        training.clip_norm,
        clip_value=training.clip_value,
        average=average,
        groups=plan.max_parallelism,
        run_tasks=run_tasks,
        compiled=plan.kernels == "numba",
        length=plan.length,
    )
