"""A run under way: what the loop works on and callbacks observe."""

import dataclasses
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from nettrain.autodiff.plan.shards import RunTasks, Task
from nettrain.config.run_config import RunConfig
from nettrain.data.augmenter import Augmenter, described
from nettrain.data.part import Part
from nettrain.data.prepare import PreparedData
from nettrain.errors import ConfigError, nearest
from nettrain.metrics import metric_names
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network, to_standard_error
from nettrain.nn.vector import ParameterVector
from nettrain.optim import ClosureOptimizer, Rule
from nettrain.schedules import MetricSchedule
from nettrain.training.artifacts.run_directory import RunDirectory
from nettrain.training.artifacts.weights import Weights
from nettrain.training.build import build, layers_for, loss_for, target_size
from nettrain.training.engine.closure_update import ClosureUpdate
from nettrain.training.engine.kernels import check_kernels, kernels_for
from nettrain.training.engine.sharding import MOST, shards_for, tiles_of
from nettrain.training.engine.step import Step
from nettrain.training.engine.threads import Workers, run_serially, usable_threads
from nettrain.training.engine.update import BLOCK, Update


@dataclass
class Progress:
    """Where a run stands. All of it is in the `last` checkpoint, so that a resumed run goes on as if nothing had happened.

    epoch     complete epochs; batch: complete batches of the epoch under way
    loss_sum  of the training loss over the rows of those batches, each times its weight
    weight    of those rows in all; without weights, how many
    seconds   spent training, resumed parts included
    """

    epoch: int = 0
    batch: int = 0
    loss_sum: float = 0.0
    weight: float = 0.0
    seconds: float = 0.0
    stop_reason: str | None = None


class Clock:
    """The seconds of training of a run, those before a resume included."""

    def start(self, earlier: float) -> None:
        """Go on from the seconds before the resume."""
        self._started = time.monotonic() - earlier

    def seconds(self) -> float:
        """The seconds up to now."""
        return time.monotonic() - self._started


class Run:
    """Network, data, update and progress of one training run; made from a configuration and its prepared data.

    shares_process: whether this process makes further ones

    monitor     the metric that chooses the best checkpoint
    watched     the parts that are evaluated at each epoch's end
    shards      into how many parts the rows of a batch are divided
    kernels     numpy, or numba: compiled loops
    max_parallelism       how many threads a step can use at most: for shards, tiles of wide layers, blocks of the update
    step_rows   the rows of one step, in one batch or several whose gradients are accumulated
    rate_scale  what a schedule that reacts to a metric multiplies the rate with
    threads     that may be used
    warnings    what was found to go wrong so far
    """

    def __init__(
        self, config: RunConfig, prepared: PreparedData, *, shares_process: bool = False
    ) -> None:
        self.config = config
        self.prepared = prepared
        self.pipeline = prepared.pipeline
        self.loss: Loss = loss_for(config, self.pipeline.schema.task)
        layers = layers_for(config, self.loss, self.pipeline.schema, self.pipeline.shape)
        train = self.parts["train"]
        self.batch_size = min(config.training.batch_size or len(train), len(train))
        self.shards = config.training.shards or shards_for(
            layers, self.batch_size, np.dtype(config.dtype).itemsize
        )
        self.step_rows = self.batch_size * config.training.accumulate
        self.steps_per_epoch = -(-len(train) // self.step_rows)
        self.kernels = config.training.kernels
        if self.kernels == "auto":
            steps = config.training.epochs * -(-len(train) // self.batch_size)
            self.kernels = kernels_for(
                layers, self.batch_size, steps, shares_process=shares_process
            )
        check_kernels(self.kernels)
        self.network: Network = build(
            layers, config, self.pipeline.shape, self.kernels, self.report
        )
        self.config = dataclasses.replace(
            config,
            training=dataclasses.replace(config.training, shards=self.shards, kernels=self.kernels),
        )
        self.max_parallelism = max(
            [
                self.shards,
                *map(tiles_of, self.network.layers),
                min(MOST, len(self.network.vector) // BLOCK),
            ]
        )
        self.threads = 1
        self._by: RunTasks = run_serially
        self.update = update_for(
            config,
            self.network.vector,
            self.max_parallelism,
            self.run_tasks,
            compiled=self.kernels == "numba",
        )
        check_batch_size(self.network, self.batch_size)
        size = target_size(self.pipeline.schema)
        augmenter = None
        if config.dataset.augmentation:
            augmenter = Augmenter(
                config.dataset.augmentation,
                self.pipeline,
                train.x,
                seed=config.seed,
                dtype=self.network.dtype,
            )
            prepared.notes.append(
                f"augmentation of the training part: {described(config.dataset.augmentation)}"
            )
        self.step = Step(
            self.network,
            self.loss,
            self.update,
            train,
            size,
            self.batch_size,
            shards=self.shards,
            run_tasks=self.run_tasks,
            compiled=self.kernels == "numba",
            augmenter=augmenter,
        )
        if train.weights is not None and self.step_rows == 1:
            prepared.notes.append(
                "weights: the loss of a step is divided by the weights of its rows, so in steps of one row only a weight of 0 tells; "
                "raise training.batch_size"
            )
        self.progress = Progress()
        self.clock = Clock()
        self.rate_scale = 1.0
        self.directory: RunDirectory | None = None
        self.warnings: list[str] = []
        self.monitor = self.monitored("training.monitor", config.training.monitor)
        stopping = config.early_stopping
        self.stopping_monitor = self.monitor
        if stopping is not None and stopping.monitor is not None:
            self.stopping_monitor = self.monitored("early_stopping.monitor", stopping.monitor)
        self.schedule_monitor = self.monitor
        if isinstance(config.schedule, MetricSchedule) and config.schedule.monitor is not None:
            self.schedule_monitor = self.monitored("schedule.monitor", config.schedule.monitor)
        self.watched = ["validation"] if "validation" in self.parts else []
        for name in (self.monitor, self.stopping_monitor, self.schedule_monitor):
            if (
                name.startswith("train_")
                and name not in ("train_loss", "train_penalty")
                and "train" not in self.watched
            ):
                self.watched.append("train")

    @contextmanager
    def workers(self, threads: int | None) -> Iterator[None]:
        """Inside, shards of a step and portions of an evaluation run on so many threads (None: as many as cores); no bit depends on it.

        Raises ConfigError where threads is not a positive number.
        """
        self.threads = usable_threads(threads)
        portions = max(
            -(-len(part) // self.network.batched_inference.chunk_size)
            for part in self.parts.values()
        )
        busy = self.shards * max(map(tiles_of, self.network.layers), default=1)
        with (
            Workers(min(self.threads, max(self.max_parallelism, portions))) as workers,
            self.step.prefetching(self.threads, busy),
        ):
            self._by = workers.run_tasks
            try:
                yield
            finally:
                self._by = run_serially

    def report(self, path: str, text: str) -> None:
        """Shows what a layer says of what passes through it, and logs it once there is a directory."""
        to_standard_error(path, text)
        if self.directory is not None:
            self.directory.log(f"{path}: {text}")

    def run_tasks(self, tasks: Sequence[Task]) -> None:
        """Run independent tasks, on the threads that `workers` gives, or else one after the other."""
        self._by(tasks)

    @property
    def parts(self) -> dict[str, Part]:
        """train, and validation and test where there are any."""
        return self.prepared.parts

    def weights(self) -> Weights:
        """The weights as they now are, in the arrays that training goes on to change."""
        average = self.update.average
        return Weights(
            self.network.vector.values,
            None if average is None else average.values,
            self.network.state,
        )

    @contextmanager
    def evaluated_weights(self) -> Iterator[None]:
        """Inside, the network holds the weights that are evaluated: their moving average, where one is kept."""
        weights = self.weights()
        if weights.average is None:
            yield
            return
        trained = weights.trained.copy()
        weights.trained[...] = weights.average
        try:
            yield
        finally:
            weights.trained[...] = trained

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return self.rate_of(self.update.steps)

    def rate_of(self, step: int) -> float:
        """The learning rate of a step, counted from 0: of the step that has just been made, or of a later one."""
        config = self.config
        return (
            config.schedule.rate(
                config.optimizer.lr, step, self.steps_per_epoch, config.training.epochs
            )
            * self.rate_scale
        )

    def monitored(self, key: str, name: str | None) -> str:
        """A metric that every epoch logs: the configured one, or the default. Raises ConfigError where it cannot be logged."""
        if name is None:
            return "validation_loss" if "validation" in self.parts else "train_loss"
        part, _, metric = name.partition("_")
        if part not in self.parts:
            raise ConfigError(
                f"{key}: {name} needs a {part} part, and there is none: set dataset.split.{part}, or monitor train_loss"
            )
        task = self.pipeline.schema.task
        known = ["loss", *metric_names(task)] + (["penalty"] if part == "train" else [])
        if metric not in known:
            hint = nearest(metric, known) or f"; there are: {', '.join(known)}"
            raise ConfigError(f"{key}: {name} is no metric of {task}{hint}")
        return name


def update_for(
    config: RunConfig,
    vector: ParameterVector,
    groups: int = 1,
    run_tasks: RunTasks = run_serially,
    *,
    compiled: bool = False,
) -> Update | ClosureUpdate:
    """What changes the parameters. Raises ConfigError where the model has none that are trained."""
    if vector.trainable.stop == 0:
        what = (
            "all layers are frozen: leave `trainable: false` out of one"
            if len(vector)
            else "no layer has parameters: add a dense one"
        )
        raise ConfigError(f"model: there is nothing to train, {what}")
    optimizer, training = config.optimizer, config.training
    if isinstance(optimizer, ClosureOptimizer):
        return ClosureUpdate(
            vector, optimizer, config.regularization, seed=config.seed, ema=training.ema
        )
    if not isinstance(optimizer, Rule):
        raise TypeError(f"{type(optimizer).__name__} is neither a Rule nor a ClosureOptimizer")
    return Update(
        vector,
        optimizer,
        config.regularization,
        training.clip_norm,
        clip_value=training.clip_value,
        ema=training.ema,
        groups=groups,
        run_tasks=run_tasks,
        compiled=compiled,
    )


def check_batch_size(network: Network, batch_size: int) -> None:
    """Raises ConfigError where a layer would blank out batches of this size."""
    for bound in network.layers:
        least = bound.layer.min_batch_size(bound.input_shape)
        if batch_size < least:
            raise ConfigError(
                f"training.batch_size: {bound.name} normalizes over the rows of a batch and needs at least {least} of them, "
                f"got batches of {batch_size}: take more rows, or layer_norm"
            )


@dataclass(frozen=True)
class Result:
    """What a run came to. metrics and baseline: by part, then by name; evaluation mode, best weights.

    diagnostics  the last epoch's figures of each layer, where they were asked for
    """

    run_directory: str
    stop_reason: str
    epochs: int
    best_epoch: int | None
    seconds: float
    metrics: dict[str, dict[str, float]]
    baseline: dict[str, dict[str, float]]
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    diagnostics: dict[str, dict[str, float]] = field(default_factory=dict)
