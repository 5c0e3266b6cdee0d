"""From a run that is ready to its result: train to the end, evaluate, write the summary."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from nettrain.diagnosis.symptoms import not_finite_loss
from nettrain.errors import CheckpointError, Diverged, RunError
from nettrain.metrics import not_finite
from nettrain.schedules import MetricSchedule
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.artifacts.metadata import Metadata
from nettrain.training.artifacts.run_directory import RunDirectory
from nettrain.training.artifacts.weights import Weights
from nettrain.training.callbacks import Callback, by_key
from nettrain.training.callbacks.best_weights import BestWeights
from nettrain.training.callbacks.checkpoints import Checkpoints
from nettrain.training.callbacks.diagnostics import Diagnostics
from nettrain.training.callbacks.early_stopping import EarlyStopping
from nettrain.training.callbacks.exchange_time import ExchangeTime
from nettrain.training.callbacks.loggers import Loggers
from nettrain.training.callbacks.metric_schedule import ScheduleByMetric
from nettrain.training.callbacks.metrics_log import MetricsLog
from nettrain.training.callbacks.same_weights import SameWeights
from nettrain.training.callbacks.snapshots import SnapshotWriter
from nettrain.training.callbacks.warnings import Warnings
from nettrain.training.evaluate import baseline_metrics, evaluate
from nettrain.training.loop import Interrupted, train_epochs
from nettrain.training.result import Result
from nettrain.training.run import Progress, Run
from nettrain.training.signals import stop_signals

FORMER_KEYS = {"ScheduleByMetric": "Reaction"}  # of the states in checkpoints of earlier versions


def train_to_end(
    run: Run,
    directory: RunDirectory,
    callbacks: Sequence[Callback],
    threads: int,
    *,
    last: Checkpoint | None = None,
    held_out: Sequence[str] = (),
) -> Result:
    """Train to the end, evaluate the weights of the run, write the summary.

    Args:
        run: That is trained.
        directory: Where its files are written.
        callbacks: Of the user.
        threads: That may be used.
        last: The checkpoint from which it continues; None: it begins.
        held_out: Parts that are not evaluated.
    """
    best = BestWeights(run.plan.monitor)
    diagnostics = Diagnostics() if run.config.diagnostics else None
    own = [MetricsLog(), *own_callbacks(run, best, diagnostics)]
    if last is None:
        directory.begin(run.config, run.prepared.fingerprint, run.plan.kernels, run.prepared.rows)
    else:
        _restore(run, last, directory, own, callbacks)
        if best.epoch is not None:
            checkpoint = Checkpoint.read(directory.best)
            best.weights = Weights.read(checkpoint, run.network, directory.best)
        directory.write_config(run.config)
    for note in run.notes:
        directory.log(note)
    if run.group.size > 1:
        directory.log(f"{run.group.size} processes: {', '.join(run.group.places())}")
    loggers = Loggers(run, directory, diagnostics)
    with loggers.closed(), run.workers(threads):
        try:
            with stop_signals() as signalled:
                # What is logged after a checkpoint is cut on a resume; what is not, would be lost.
                files = [loggers, Checkpoints(best, own, callbacks)]
                observers = [*own, *callbacks, *of_several(run), *files]
                train_epochs(run, observers, run.agreed(signalled))
        except Diverged as error:
            directory.log(str(error))
            epochs, message = run.progress.epoch, str(error)
            summary = {"stop_reason": "diverged", "epochs": epochs, "message": message}
            directory.write_summary(summary)
            raise
        except Interrupted as error:
            directory.log(str(error))  # a launcher may have closed the terminal's streams
            raise
        watching = [*callbacks, loggers]
        result = _evaluated(run, directory, best, diagnostics, held_out, watching)
        directory.write_summary(result.summary())
        best_epoch = "" if result.best_epoch is None else f", best epoch: {result.best_epoch}"
        directory.log(f"finished: {result.stop_reason} after {result.epochs} epochs{best_epoch}")
        loggers.finished(result)
    return result


def own_callbacks(
    run: Run, best: BestWeights, diagnostics: Diagnostics | None = None
) -> list[Callback]:
    """The callbacks that the configuration asks for; no file needs them."""
    config, plan = run.config, run.plan
    callbacks: list[Callback] = [best]
    if config.early_stopping is not None:
        callbacks.append(EarlyStopping(config.early_stopping, plan.stopping_monitor))
    if isinstance(config.schedule, MetricSchedule):
        callbacks.append(ScheduleByMetric(config.schedule, plan.schedule_monitor))
    if diagnostics is not None:
        callbacks.append(diagnostics)
    if config.training.snapshots is not None:
        callbacks.append(SnapshotWriter(config.training.snapshots))
    return [*callbacks, Warnings(diagnostics)]


def of_several(run: Run) -> list[Callback]:
    """The callbacks of a run that several processes train."""
    if run.group.size == 1:
        return []
    return [SameWeights(), ExchangeTime()]


def _restore(
    run: Run,
    last: Checkpoint,
    directory: RunDirectory,
    own: Sequence[Callback],
    users: Sequence[Callback],
) -> None:
    """Put the run back where it stood. Raises CheckpointError naming what is damaged."""
    path = directory.last
    metadata = last.metadata(path)
    restore_weights(run, last, path)
    restore_optimizer(run, last, path)
    _restore_progress(run, metadata, directory)
    states = metadata.callbacks or {}
    for key, callback in by_key(own).items():
        _restore_callback(
            callback, key, states.get(key, states.get(FORMER_KEYS.get(key, ""))), path
        )
    for key, callback in by_key(users).items():
        _restore_callback(callback, key, (metadata.user_callbacks or {}).get(key), path)
    run.notes[:] = dict.fromkeys([*(metadata.notes or ()), *run.notes])


def restore_weights(run: Run, last: Checkpoint, path: Path) -> None:
    """Take over the weights of a checkpoint, as trained, and their moving average."""
    weights = Weights.read(last, run.network, path)
    run.network.vector.values[...] = weights.trained
    run.network.restore_state(weights.state)
    average = run.update.average
    if average is not None and average.count(last.metadata(path).steps or 0):
        if weights.average is None:
            key = "ema" if run.config.training.swa is None else "swa"
            raise CheckpointError(
                f"{path}: holds no moving average of the weights, which training.{key} needs; "
                "train again"
            )
        average.values[...] = weights.average
        run.average_state = dict(weights.average_state)


def restore_optimizer(run: Run, last: Checkpoint, path: Path) -> None:
    """Take over what the optimizer remembers."""
    for name, slot in run.update.slots.items():
        slot[...] = last.tensor(f"optimizer.{name}", slot, path)


def _restore_progress(run: Run, metadata: Metadata, directory: RunDirectory) -> None:
    progress, epochs = metadata.progress, run.config.training.epochs
    if progress is None or metadata.steps is None:
        missing = "progress" if progress is None else "steps"
        raise CheckpointError(
            f"{directory.last}: its metadata is damaged: {missing} is missing; train again"
        )
    if progress.epoch > epochs:
        raise RunError(
            f"training.epochs: {epochs} is less than the {progress.epoch} epochs that "
            f"{directory.last} has already trained"
        )
    steps_per_epoch = run.plan.steps_per_epoch
    expected = progress.epoch * steps_per_epoch + progress.batch
    if progress.batch > steps_per_epoch or metadata.steps != expected:
        raise CheckpointError(
            f"{directory.last}: its metadata is damaged: progress.epoch {progress.epoch}, "
            f"progress.batch {progress.batch} and steps {metadata.steps} contradict each other "
            f"({steps_per_epoch} steps per epoch); train again"
        )
    run.update.steps = metadata.steps
    run.progress = Progress(**dataclasses.asdict(progress))


def _restore_callback(
    callback: Callback, key: str, state: dict[str, object] | None, path: object
) -> None:
    if state is None:
        return
    try:
        callback.restore(state)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, ("callbacks", key, *problem["loc"])))
        raise CheckpointError(
            f"{path}: its metadata is damaged: {place}: {problem['msg']}; train again"
        ) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"{path}: its metadata is damaged: callbacks.{key} does not hold the state of this run "
            f"({type(error).__name__}: {error}); train again"
        ) from None


def _evaluated(
    run: Run,
    directory: RunDirectory,
    best: BestWeights,
    diagnostics: Diagnostics | None,
    held_out: Sequence[str],
    callbacks: Sequence[Callback],
) -> Result:
    """The result, with the network holding the weights of the run."""
    restored = best.weights if run.plan.restore_best else None
    (restored or run.weights()).put_into(run.network)
    if run.group.allows_different_bits:
        for array in (run.network.vector.values, *run.network.state.values()):
            run.group.broadcast(array)
    temperature = (best.temperature or 1.0) if restored else 1.0
    if temperature != 1:
        run.notes.append(f"temperature {temperature:.4f}, chosen on the validation rows, is kept")
    chosen, train = run.plan.metrics, run.parts["train"]
    metrics: dict[str, dict[str, float]] = {}
    baseline: dict[str, dict[str, float]] = {}
    for name, part in run.parts.items():
        if name not in held_out:
            evaluation = evaluate(
                run.outputs(part),
                run.loss,
                run.pipeline,
                part,
                chosen,
                temperature=temperature,
            )
            metrics[name] = evaluation.metrics
            if name not in run.evaluated_parts and len(not_finite(evaluation.outcome)):
                run.warn(not_finite_loss(name))
            if run.config.compares_with("constant"):
                baseline[name] = baseline_metrics(
                    train, part, run.pipeline, chosen, run.loss.levels
                )
            for callback in callbacks:
                callback.evaluated(run, name, evaluation)
    added = [callback.summary(run) for callback in callbacks]
    return Result(
        run_directory=str(directory.path),
        stop_reason=run.progress.stop_reason or "",
        epochs=run.progress.epoch,
        best_epoch=best.epoch,
        seconds=round(run.progress.seconds, 6),
        metrics=metrics,
        baseline=baseline,
        monitor=None if best.monitor is None else best.monitor.name,
        best_value=best.value,
        weights="last" if restored is None else "best",
        notes=run.notes,
        warnings=run.warnings,
        diagnostics=diagnostics.layers if diagnostics else {},
        added={name: value for entries in added for name, value in entries.items()},
    )
