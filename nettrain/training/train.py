"""`train` and `resume`: the one entry that fit, searches and Python all call."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from nettrain.component import to_mapping
from nettrain.config.checks import name_problem
from nettrain.config.load import load
from nettrain.config.plugins import in_use
from nettrain.config.run_config import RunConfig
from nettrain.data.loader import Loader
from nettrain.data.prepare import PreparedData, prepare
from nettrain.diagnosis.layer_statistics import Layers
from nettrain.diagnosis.symptoms import not_finite_loss
from nettrain.errors import CheckpointError, ConfigError, Diverged, RunError
from nettrain.metrics import not_finite
from nettrain.schedules import MetricSchedule
from nettrain.training.artifacts.checkpoint import Checkpoint, configuration
from nettrain.training.artifacts.files import write_json
from nettrain.training.artifacts.run_directory import RunDirectory
from nettrain.training.artifacts.weights import Weights
from nettrain.training.build import data_seed, loss_for, target_requirements
from nettrain.training.callbacks import Callback
from nettrain.training.callbacks.best_weights import BestWeights
from nettrain.training.callbacks.checkpoints import Checkpoints
from nettrain.training.callbacks.diagnostics import Diagnostics
from nettrain.training.callbacks.early_stopping import EarlyStopping
from nettrain.training.callbacks.metrics_log import MetricsLog
from nettrain.training.callbacks.reaction import Reaction
from nettrain.training.callbacks.warnings import Warnings
from nettrain.training.engine.blas import one_blas_thread
from nettrain.training.engine.threads import usable_threads
from nettrain.training.evaluate import baseline_metrics, evaluate
from nettrain.training.initialize import initialize
from nettrain.training.loop import train_epochs
from nettrain.training.run import Progress, Result, Run
from nettrain.training.signals import stop_signals

Configuration = str | os.PathLike[str] | Mapping[str, object] | RunConfig
Data = tuple[object, object] | tuple[object, object, object]

# What may change when a run goes on. Of these only the kernels change a step's bits, which is asked for and told.
EXTENDABLE = ("name", "training.epochs", "early_stopping", "training.kernels")


def train(
    config: Configuration,
    data: Data | None = None,
    *,
    sets: Sequence[str] = (),
    output_directory: str | os.PathLike[str] = "runs",
    run_name: str | None = None,
    overwrite: bool = False,
    allow_plugins: bool = False,
    threads: int | None = None,
    callbacks: Sequence[Callback] = (),
    loader: Loader | None = None,
    held_out: Sequence[str] = (),
) -> Result:
    """Train one network and leave a run directory.

    config      a YAML file, a mapping of the same form, or a RunConfig
    data        (x, y) arrays in memory instead of `dataset.source`, or (x, y, weights) with how much each row counts in the loss
    sets        overrides, "optimizer.lr=0.01"
    run_name    exactly this name in output_directory; None: the configuration's, with a suffix where it is taken
    allow_plugins  whether the Python files under `plugins` may be imported
    threads     that steps and evaluation may use; None: as many as cores. They change no bit
    loader      what remembers the data that other runs of this process have loaded
    held_out      parts that are not evaluated at the end, such as the test part while settings are still compared

    Nothing is written before configuration, data and network have been found good. Raises NettrainError for what the user can mend,
    Diverged when the loss or the weights become NaN or infinite, Interrupted after SIGINT or SIGTERM.
    """
    if run_name is not None and (problem := name_problem(run_name)):
        raise ConfigError(f"run_name: {problem}")
    threads = usable_threads(threads)
    run = prepare_run(config, data, sets, allow_plugins=allow_plugins, loader=loader)
    with in_use(run.config.plugins), one_blas_thread():
        name = run_name or run.config.name or "run"
        run.directory = RunDirectory.create(
            Path(output_directory), name, exact=run_name is not None, overwrite=overwrite
        )
        with run.directory.locked():
            return _finish(run, None, callbacks, threads, held_out)


def resume(
    run_directory: str | os.PathLike[str],
    data: Data | None = None,
    *,
    sets: Sequence[str] = (),
    allow_plugins: bool = False,
    threads: int | None = None,
    callbacks: Sequence[Callback] = (),
) -> Result:
    """Go on with an interrupted run, or extend a finished one (`sets=["training.epochs=60"]`): the same bits as without the break.

    A run that was stopped before its first checkpoint starts again. Raises RunError where the data or anything but the length has changed.
    """
    threads = usable_threads(threads)
    directory = RunDirectory.open(Path(run_directory))
    with directory.locked(), one_blas_thread():
        last = Checkpoint.read(directory.last) if directory.last.exists() else None
        earlier = load(directory.config, allow_plugins=allow_plugins)
        if last is not None:
            earlier = configuration(
                last, directory.last, allow_plugins=allow_plugins
            )  # config.yaml may have been edited
        config = load(directory.config, sets, allow_plugins=allow_plugins)
        _check_extension(earlier, config, directory)
        before, kernels = earlier.training.kernels, config.training.kernels
        if last is not None and kernels == "auto":
            kernels = before  # decided once
            config = dataclasses.replace(
                config, training=dataclasses.replace(config.training, kernels=kernels)
            )
        run = prepare_run(config, data, allow_plugins=allow_plugins, begins=last is None)
        run.directory = directory
        if last is not None and last.content.get("data_fingerprint") != run.prepared.fingerprint:
            raise RunError(
                f"{directory.path}: the data has changed since the run began; train again instead of resuming"
            )
        if last is not None and kernels != before:
            run.prepared.notes.append(
                f"training.kernels: {kernels} instead of {before} from here on, so the bits differ from those of one run"
            )
        if config.training.epochs != earlier.training.epochs and config.schedule.depends_on_horizon:
            run.prepared.notes.append(
                f"the schedule {config.schedule.name()} depends on training.epochs: "
                f"this differs from an uninterrupted run of {config.training.epochs} epochs"
            )
        with in_use(config.plugins):
            return _finish(run, last, callbacks, threads)


def prepare_run(
    config: Configuration,
    data: Data | None = None,
    sets: Sequence[str] = (),
    *,
    allow_plugins: bool = False,
    begins: bool = True,
    loader: Loader | None = None,
) -> Run:
    """Everything before the first batch, nothing of it on disk: configuration, data, network.

    begins  whether the weights are those of the beginning: False where a checkpoint is about to give them
    """
    settled = load(
        config,
        sets if data is None else [*sets, "dataset.source=memory"],
        allow_plugins=allow_plugins,
    )
    with in_use(settled.plugins):
        run = _prepared(settled, data, loader)
        if begins and settled.initialize_from is not None:
            initialize(run.network, settled.initialize_from)
        return run


def _prepared(settled: RunConfig, data: Data | None, loader: Loader | None) -> Run:
    prepared = prepare(
        settled.dataset,
        data_seed(settled),
        data=data,
        dtype=settled.dtype,
        requirements=target_requirements(settled.loss),
        class_weights=settled.training.class_weights,
        loader=loader,
    )
    return Run(_decided(settled, prepared), prepared, shares_process=loader is not None)


def _decided(config: RunConfig, prepared: PreparedData) -> RunConfig:
    """The configuration with what the data decided written out: it then says all, and gives the same run again."""
    pipeline = prepared.pipeline
    dataset = dataclasses.replace(
        config.dataset,
        transforms=tuple(fitted.transform for fitted in pipeline.transforms),
        target_transforms=tuple(fitted.transform for fitted in pipeline.target_transforms),
    )
    training = dataclasses.replace(config.training, class_weights=prepared.class_weights)
    return dataclasses.replace(
        config, dataset=dataset, loss=loss_for(config, pipeline.schema.task), training=training
    )


def _finish(
    run: Run,
    last: Checkpoint | None,
    callbacks: Sequence[Callback],
    threads: int,
    held_out: Sequence[str] = (),
) -> Result:
    """Train to the end, evaluate the best weights on every part but the held-out ones, write the summary."""
    directory = run.directory
    assert directory is not None
    best = BestWeights()
    remembering: list[Callback] = [MetricsLog(), best]
    if run.config.early_stopping is not None:
        remembering.append(EarlyStopping(run.config.early_stopping))
    if isinstance(run.config.schedule, MetricSchedule):
        remembering.append(Reaction(run.config.schedule))
    diagnostics = Diagnostics() if run.config.diagnostics else None
    remembering += (
        [Warnings(diagnostics)] if diagnostics is None else [diagnostics, Warnings(diagnostics)]
    )
    if last is None:
        directory.metrics.cut(0)
        directory.diagnostics.cut(0)
        directory.write_environment(run.prepared.fingerprint, run.kernels)
        directory.write_splits(run.prepared.rows)
    else:
        _restore(run, last, remembering)
        if best.epoch is not None:
            best.weights = Weights.read(
                Checkpoint.read(directory.best), run.network, directory.best
            )
    directory.write_config(run.config)
    for note in run.prepared.notes:
        directory.log(note)
    with run.workers(threads):
        try:
            with stop_signals() as signalled:
                train_epochs(
                    run, [*remembering, Checkpoints(best, remembering), *callbacks], signalled
                )
        except Diverged as error:
            directory.log(str(error))
            write_json(
                directory.path / "summary.json",
                {"stop_reason": "diverged", "epochs": run.progress.epoch, "message": str(error)},
            )
            raise
        result = _evaluated(
            run, best, diagnostics.layers if diagnostics else {}, held_out, callbacks
        )
    write_json(directory.path / "summary.json", dataclasses.asdict(result))
    directory.log(
        f"finished: {result.stop_reason} after {result.epochs} epochs, best epoch {result.best_epoch}"
    )
    return result


def _restore(run: Run, last: Checkpoint, remembering: Sequence[Callback]) -> None:
    """Put the run back where it stood."""
    path = run.directory.last if run.directory else Path()
    weights = Weights.read(last, run.network, path)
    run.network.vector.values[...] = weights.trained
    run.network.restore_state(weights.state)
    if run.update.average is not None:
        if weights.average is None:
            raise CheckpointError(
                f"{path}: holds no moving average of the weights, which training.ema needs; train again"
            )
        run.update.average.values[...] = weights.average
    try:
        for name, slot in run.update.slots.items():
            slot[...] = last.tensors[f"optimizer.{name}"]
        run.update.steps = int(last.content["steps"])
        run.progress = Progress(**last.content["progress"])
        for callback in remembering:
            state = last.content["callbacks"].get(type(callback).__name__)
            if state is not None:
                callback.restore(state)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path}: does not hold the state of this run ({error}); train again"
        ) from None
    if run.progress.epoch > run.config.training.epochs:
        raise RunError(
            f"training.epochs: {run.config.training.epochs} is less than the {run.progress.epoch} epochs that {path} has already trained"
        )


def _check_extension(earlier: RunConfig, config: RunConfig, directory: RunDirectory) -> None:
    """Only the length of a run may change on the way; anything else would be another run."""
    changed = [
        key
        for key in differences(to_mapping(earlier), to_mapping(config))
        if not key.startswith(EXTENDABLE)
    ]
    if changed:
        raise RunError(
            f"{directory.path}: {', '.join(changed)} cannot change when a run goes on "
            "(only training.epochs, training.kernels and early_stopping can): start a new run with nettrain fit"
        )


def differences(a: object, b: object, path: str = "") -> list[str]:
    """The dotted paths at which two plain values differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        keys = list(dict.fromkeys([*a, *b]))
        return [
            found
            for key in keys
            for found in differences(a.get(key), b.get(key), f"{path}.{key}".lstrip("."))
        ]
    return [] if a == b else [path]


def _evaluated(
    run: Run,
    best: BestWeights,
    layers: Layers,
    held_out: Sequence[str],
    callbacks: Sequence[Callback],
) -> Result:
    stopping = run.config.early_stopping
    restored = best.weights if stopping is None or stopping.restore_best else None
    (restored or run.weights()).put_into(run.network)
    metrics: dict[str, dict[str, float]] = {}
    baseline: dict[str, dict[str, float]] = {}
    for name, part in run.parts.items():
        if name in held_out:
            continue
        evaluated = evaluate(run.network, run.loss, run.pipeline, part, run.run_tasks)
        metrics[name] = evaluated.metrics
        if name not in run.watched and len(not_finite(evaluated.outcome)):
            run.warnings.append(not_finite_loss(name))
            if run.directory is not None:
                run.directory.log(f"warning: {run.warnings[-1]}")
        for callback in callbacks:
            callback.evaluated(run, name, evaluated)
        baseline[name] = baseline_metrics(run.parts["train"], part, run.pipeline)
    progress = run.progress
    return Result(
        run_directory=str(run.directory.path if run.directory else ""),
        stop_reason=progress.stop_reason or "",
        epochs=progress.epoch,
        best_epoch=best.epoch,
        seconds=round(progress.seconds, 6),
        metrics=metrics,
        baseline=baseline,
        notes=run.prepared.notes,
        warnings=run.warnings,
        diagnostics=layers,
    )
