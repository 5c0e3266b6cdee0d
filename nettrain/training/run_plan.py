"""What is decided of a run before it is built: a function of the configuration and the data."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nettrain.config.run_config import RunConfig
from nettrain.data.augmenter import check_augmentations, described
from nettrain.data.part import Part
from nettrain.data.prepare import PreparedData
from nettrain.errors import ConfigError
from nettrain.metrics import Metric, task_metrics
from nettrain.nn.bound_layer import BoundLayer
from nettrain.nn.loss import Loss
from nettrain.optim import ClosureOptimizer
from nettrain.schedules import MetricSchedule, RunLength
from nettrain.training.build import input_shape, layers_for, loss_for
from nettrain.training.engine.blocks import BLOCK
from nettrain.training.engine.kernels import check_kernels, kernels_for
from nettrain.training.engine.sharding import MOST, shards_for, tiles_of
from nettrain.training.memory import check_fits_memory
from nettrain.training.monitor import REFINED, Monitor, monitor


@dataclass(frozen=True)
class RunPlan:
    """The decisions of one run.

    Attributes:
        config: The final configuration: what it left open, and what the data decided, is written
            out, so that it gives the same run again.
        loss: The configured loss, or that of the task.
        layers: Of the network, bound to the shape of the inputs.
        batch_size: Rows per batch.
        step_rows: Rows per step of the optimizer: of all batches whose gradients are accumulated.
        steps_per_epoch: Steps per epoch; the last one may have fewer rows, unless `drop_last`.
        max_parallelism: Threads that a step can use at most: for shards, tiles of wide layers and
            blocks of the update.
        metrics: The metrics of the task by name, those of plugins too.
        monitor: What chooses the best epoch; None where none is chosen.
        restore_best: Whether the weights of the run are those of the best epoch, or the last ones.
        stopping_monitor: What early stopping looks at.
        schedule_monitor: What a metric-driven schedule looks at.
        evaluated_parts: The parts that are evaluated at the end of each epoch.
        notes: What was decided for the user, a sentence each.
    """

    config: RunConfig
    loss: Loss
    layers: Sequence[BoundLayer]
    batch_size: int
    step_rows: int
    steps_per_epoch: int
    max_parallelism: int
    metrics: Mapping[str, Metric]
    monitor: Monitor | None
    restore_best: bool
    stopping_monitor: Monitor
    schedule_monitor: Monitor
    evaluated_parts: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def shards(self) -> int:
        """Parts into which the rows of a batch are divided."""
        shards = self.config.training.shards
        if shards is None:
            raise ValueError("the shards of a plan are decided")
        return shards

    @property
    def length(self) -> RunLength:
        """What numbers that follow a schedule need to know of the run."""
        return RunLength(self.steps_per_epoch, self.config.training.epochs)

    @property
    def kernels(self) -> str:
        """numpy, or numba: compiled loops."""
        return self.config.training.kernels


def plan_run(config: RunConfig, prepared: PreparedData, *, shares_process: bool = False) -> RunPlan:
    """Decide everything that a configuration leaves open.

    Args:
        config: Of the run.
        prepared: Its data.
        shares_process: Whether this process trains further runs, which share the loading of
            compiled loops.

    Raises:
        ConfigError: Configuration, data and network do not fit run_tasks.
    """
    pipeline, train = prepared.pipeline, prepared.parts["train"]
    loss = loss_for(config, pipeline.schema.task)
    layers = _layers(config, loss, prepared)
    batch_size = min(config.training.batch_size or len(train), len(train))
    _check_trainable(config, layers)
    _check_batch_size(layers, batch_size)
    if config.dataset.augmentation:
        check_augmentations(config.dataset.augmentation, pipeline)
    itemsize = np.dtype(config.dtype).itemsize
    check_fits_memory(layers, batch_size, itemsize)
    shards = config.training.shards or shards_for(layers, batch_size, itemsize)
    kernels = config.training.kernels
    if kernels == "auto":
        batches = config.training.epochs * _steps(config, len(train), batch_size)
        kernels = kernels_for(layers, batch_size, batches, shares_process=shares_process)
    check_kernels(kernels)
    blocks = sum(layer.size for layer in layers) // BLOCK
    step_rows = batch_size * config.training.accumulate
    metrics = task_metrics(pipeline.schema.task)
    chosen, stopping, scheduled = _monitors(config, prepared, metrics)
    return RunPlan(
        config=_final(config, prepared, loss, shards, kernels),
        loss=loss,
        layers=layers,
        batch_size=batch_size,
        step_rows=step_rows,
        steps_per_epoch=_steps(config, len(train), step_rows),
        max_parallelism=max([shards, *map(tiles_of, layers), min(MOST, blocks)]),
        metrics=metrics,
        monitor=chosen,
        restore_best=chosen is not None
        and (config.early_stopping is None or config.early_stopping.restore_best),
        stopping_monitor=stopping,
        schedule_monitor=scheduled,
        evaluated_parts=_evaluated_parts(prepared.parts, (chosen, stopping, scheduled)),
        notes=(*_notes(config, train, step_rows), *_trusting(config, chosen, stopping)),
    )


def _layers(config: RunConfig, loss: Loss, prepared: PreparedData) -> list[BoundLayer]:
    """The layers; where they do not fit the data, what is odd about the data is said too."""
    pipeline = prepared.pipeline
    try:
        return layers_for(config, loss, pipeline.schema, input_shape(pipeline))
    except ConfigError as error:
        warnings = [note for note in prepared.notes if note.startswith("warning: ")]
        raise ConfigError([*error.problems, *warnings]) from None


def _monitors(
    config: RunConfig, prepared: PreparedData, metrics: Mapping[str, Metric]
) -> tuple[Monitor | None, Monitor, Monitor]:
    """What chooses the best epoch, ends the training, and drives the schedule.

    Without a validation part no epoch is the best unless a metric is named: the training loss is
    measured before the updates whose weights would be kept, and without the penalty.
    """
    task, parts = prepared.pipeline.schema.task, prepared.parts
    default = "validation_loss" if "validation" in parts else "train_loss"

    def named(key: str, name: str | None) -> Monitor | None:
        found = None if name is None else (key, name)
        return found and monitor(*found, parts=parts, task=task, metrics=metrics)

    fallback = monitor("training.monitor", default, parts=parts, task=task, metrics=metrics)
    of_weights = named("training.monitor", config.training.monitor)
    stopping = config.early_stopping
    of_stopping = named("early_stopping.monitor", stopping.monitor) if stopping else None
    schedule = config.schedule
    of_schedule = (
        named("schedule.monitor", schedule.monitor)
        if isinstance(schedule, MetricSchedule)
        else None
    )
    if config.training.refine:
        fallback = of_weights = _refined(task, parts)
    chosen = of_weights or of_stopping or (fallback if "validation" in parts else None)
    return (
        chosen,
        of_stopping or of_weights or fallback,
        of_schedule or of_weights or fallback,
    )


def _refined(task: str, parts: Collection[str]) -> Monitor:
    """The log loss after temperature scaling. Raises ConfigError where there is none."""
    if task == "regression":
        raise ConfigError("training.refine: scales probabilities, this is regression: leave it out")
    if "validation" not in parts:
        raise ConfigError(
            "training.refine: needs validation rows to choose the temperature on: set "
            "dataset.split.validation, or leave it out"
        )
    return Monitor("training.refine", REFINED, higher_is_better=False)


def _evaluated_parts(
    parts: Mapping[str, Part], monitors: Sequence[Monitor | None]
) -> tuple[str, ...]:
    """The validation part, and the training part where a metric of it is monitored."""
    monitored = {found.evaluated_part for found in monitors if found is not None}
    validation = ("validation",) if "validation" in parts else ()
    return (*validation, "train") if "train" in monitored else validation


def _final(
    config: RunConfig, prepared: PreparedData, loss: Loss, shards: int, kernels: str
) -> RunConfig:
    """The configuration with every decision written out: it then gives the same run again."""
    pipeline = prepared.pipeline
    return dataclasses.replace(
        config,
        dataset=dataclasses.replace(
            config.dataset,
            transforms=tuple(fitted.transform for fitted in pipeline.transforms),
            target_transforms=tuple(fitted.transform for fitted in pipeline.target_transforms),
        ),
        loss=loss,
        training=dataclasses.replace(
            config.training,
            class_weights=prepared.class_weights,
            shards=shards,
            kernels=kernels,  # type: ignore[arg-type]
        ),
    )


def _steps(config: RunConfig, rows: int, step_rows: int) -> int:
    """Steps of so many rows in an epoch, the rest in one of their own unless it is left out."""
    full, rest = divmod(rows, step_rows)
    return full if full and config.training.drop_last else full + (rest > 0)


def _notes(config: RunConfig, train: Part, step_rows: int) -> list[str]:
    notes = []
    if config.dataset.augmentation:
        chain = described(config.dataset.augmentation)
        notes.append(f"augmentation of the training part: {chain}")
    if train.weights is not None and step_rows == 1:
        notes.append(
            "weights: the loss of a step is divided by the weights of its rows, so in steps of one "
            "row only a weight of 0 makes a difference; raise training.batch_size"
        )
    return notes


def _trusting(config: RunConfig, chosen: Monitor | None, stopping: Monitor) -> list[str]:
    """A warning where the training loss decides, which overfitting makes better."""
    decisions = {
        "ends the training": config.early_stopping is not None and stopping.name == "train_loss",
        "chooses the best epoch": chosen is not None and chosen.name == "train_loss",
    }
    told = " and ".join(what for what, is_so in decisions.items() if is_so)
    if not told:
        return []
    return [
        f"warning: train_loss {told}: it goes on falling where a network overfits; give a "
        "validation part (dataset.split.validation), and monitor validation_loss"
    ]


def _check_trainable(config: RunConfig, layers: Sequence[BoundLayer]) -> None:
    """Raises ConfigError where no parameter is trained, or layers have rates that are not used."""
    parameters = [parameter for layer in layers for parameter in layer.parameters.values()]
    trained = [parameter for parameter in parameters if parameter.trainable]
    if not trained:
        what = (
            "all layers are frozen: leave `trainable: false` out of one"
            if parameters
            else "no layer has parameters: add a dense one"
        )
        raise ConfigError(f"model: there is nothing to train, {what}")
    if isinstance(config.optimizer, ClosureOptimizer) and any(
        parameter.rate != 1 or parameter.member_rates for parameter in trained
    ):
        raise ConfigError(
            f"optimizer: {config.optimizer.name()} moves all layers at once: leave out the layers' "
            "learning_rate, or take another optimizer"
        )


def _check_batch_size(layers: Sequence[BoundLayer], batch_size: int) -> None:
    """Raises ConfigError where a layer would blank out batches of this size."""
    for bound in layers:
        least = bound.layer.min_batch_size(bound.input_shape)
        if batch_size < least:
            raise ConfigError(
                f"training.batch_size: {bound.name} normalizes over the rows of a batch and needs "
                f"at least {least} of them, got batches of {batch_size}: take more rows, or "
                "layer_norm"
            )
