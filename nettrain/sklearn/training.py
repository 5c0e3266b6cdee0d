"""Training for an estimator: from rows in memory to a checkpoint in memory."""

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nettrain.config.plugins import described_failures, in_use
from nettrain.config.run_config import RunConfig
from nettrain.data.align import align
from nettrain.data.dataset import Dataset
from nettrain.data.divide import load_data
from nettrain.data.fingerprint import fingerprint
from nettrain.data.pipeline import Pipeline
from nettrain.data.prepare import PreparedData, prepare
from nettrain.data.split import Rows
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.artifacts.run_directory import RunDirectory, checkpoint_path
from nettrain.training.build import data_seed, target_requirements
from nettrain.training.callbacks import Callback, Row
from nettrain.training.callbacks.best_weights import BestWeights
from nettrain.training.callbacks.checkpoints import resumable_checkpoint
from nettrain.training.engine.blas import one_blas_thread
from nettrain.training.engine.threads import usable_threads
from nettrain.training.finish import (
    own_callbacks,
    restore_optimizer,
    restore_weights,
    train_to_end,
)
from nettrain.training.initialize import initial_weights
from nettrain.training.loop import train_epochs
from nettrain.training.run import Run
from nettrain.training.run_plan import plan_run

FITTED = Path("the fitted estimator")  # where a checkpoint in memory comes from, for messages


@dataclass(frozen=True)
class Earlier:
    """What a training continues from.

    Attributes:
        checkpoint: With the transforms and the weights.
        epochs: Trained so far.
    """

    checkpoint: Checkpoint
    epochs: int


@dataclass(frozen=True)
class Trained:
    """What comes out of a training.

    Attributes:
        checkpoint: With the weights of the run.
        rows: The metrics of each epoch.
        run_directory: Where its files are; None: nowhere.
    """

    checkpoint: Checkpoint
    rows: list[Row]
    run_directory: Path | None = None


class _History(Callback):
    """Keeps the metrics of each epoch, and ends the run after the first if it is `incremental`."""

    def __init__(self, *, incremental: bool) -> None:
        self.rows: list[Row] = []
        self._incremental = incremental

    def epoch_end(self, run: Run, row: Row) -> None:
        self.rows.append(row)
        if self._incremental:
            run.progress.stop_reason = "partial_fit"


def fit(
    config: RunConfig,
    dataset: Dataset,
    *,
    earlier: Earlier | None = None,
    run_directory: str | os.PathLike[str] | None = None,
    threads: int | None = None,
) -> Trained:
    """Train to the end.

    Args:
        config: Of the run.
        dataset: All rows, which `dataset.split` divides.
        earlier: Whose transforms and weights are the initial ones; the optimizer begins anew.
        run_directory: Where the files of a run are written; a name that is taken gets a suffix.
            None: nowhere.
        threads: Of steps and evaluation; None: as many as cores.

    Raises:
        NettrainError: Configuration, data and network do not fit each other.
        Diverged: The loss or the weights became NaN or infinite.
    """
    threads = usable_threads(threads)
    with described_failures(config.plugins), one_blas_thread():
        run = _run(config, dataset, earlier)
        history = _History(incremental=False)
        if run_directory is None:
            return _train(run, history, threads)
        path = Path(run_directory)
        directory = RunDirectory.create(path.parent, path.name, exact=False, overwrite=False)
        run.directory = directory
        with directory.locked():
            train_to_end(run, directory, [history], threads)
            checkpoint = Checkpoint.read(checkpoint_path(directory.path))
        return Trained(checkpoint, history.rows, directory.path)


def fit_epoch(
    config: RunConfig, dataset: Dataset, earlier: Earlier | None, threads: int | None = None
) -> Trained:
    """Train one epoch on all rows, and keep what the optimizer remembers for the next.

    Raises what `fit` does.
    """
    threads, done = usable_threads(threads), earlier.epochs if earlier else 0
    whole = dataclasses.replace(config.dataset.split, validation=0.0, test=0.0, stratify=False)
    config = dataclasses.replace(
        config,
        dataset=dataclasses.replace(config.dataset, split=whole, validation_source=None),
        training=dataclasses.replace(
            config.training, epochs=max(config.training.epochs, done + 1), monitor=None
        ),
        early_stopping=None,
    )
    with described_failures(config.plugins), one_blas_thread():
        run = _run(config, dataset, earlier)
        if earlier is not None:
            run.progress.epoch = done
            run.update.steps = earlier.checkpoint.metadata(FITTED).steps or 0
            if earlier.checkpoint.group("optimizer"):
                restore_optimizer(run, earlier.checkpoint, FITTED)
        return _train(run, _History(incremental=True), threads)


def _run(config: RunConfig, dataset: Dataset, earlier: Earlier | None) -> Run:
    """A run with its initial weights."""
    with in_use(config.plugins):
        prepared = (
            prepare(
                config.dataset,
                data_seed(config),
                data=dataset,
                dtype=config.dtype,
                requirements=target_requirements(config.loss),
                class_weights=config.training.class_weights,
                target_transforms=config.model.target_transforms,
            )
            if earlier is None
            else _transformed(config, dataset, earlier.checkpoint)
        )
        plan = plan_run(config, prepared, shares_process=True)
    run = Run(plan, prepared)
    if earlier is None:
        initial_weights(plan.layers, config.initialize_from).copy_into(run.network)
    else:
        restore_weights(run, earlier.checkpoint, FITTED)
    return run


def _transformed(config: RunConfig, dataset: Dataset, earlier: Checkpoint) -> PreparedData:
    """The rows as an earlier training's transforms make them, and with its weights of classes."""
    metadata = earlier.metadata(FITTED)
    pipeline = Pipeline.unpack(metadata.pipeline, earlier.group("pipeline"))
    aligned = align(dataset, pipeline.schema, with_target=True)
    weights = None
    if config.training.class_weights is not None:
        weights = metadata.config["training"]["class_weights"]
    rows, datasets, notes = _divided(config, aligned)
    parts = {name: pipeline.part(part, config.dtype, weights) for name, part in datasets.items()}
    return PreparedData(parts, rows, pipeline, fingerprint([aligned]), notes, weights)


def _divided(config: RunConfig, dataset: Dataset) -> tuple[Rows, dict[str, Dataset], list[str]]:
    """The rows of each part. A few rows need not hold every class, so undivided ones go as is."""
    if not config.dataset.split.validation and config.dataset.validation_source is None:
        return {"train": np.arange(len(dataset))}, {"train": dataset}, []
    requirements = target_requirements(config.loss)
    loaded = load_data(config.dataset, data_seed(config), data=dataset, requirements=requirements)
    return loaded.rows, loaded.datasets, list(loaded.notes)


def _train(run: Run, history: _History, threads: int) -> Trained:
    best = BestWeights(run.plan.monitor)
    with run.workers(threads):
        train_epochs(run, [*own_callbacks(run, best), history], lambda: None)
    restored = best.weights if run.plan.restore_best else None
    content: dict[str, object] = {"epoch": run.progress.epoch, "steps": run.update.steps}
    if restored is not None:
        content["epoch"] = best.epoch
    checkpoint = resumable_checkpoint(run, restored or run.weights(), content)
    return Trained(checkpoint, history.rows)
