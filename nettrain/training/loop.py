"""The training loop: batches, evaluation, callbacks; everything else observes."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from nettrain import streams
from nettrain.errors import ConfigError, Diverged, NettrainError
from nettrain.metrics import Outcome, undefined_reason
from nettrain.training.callbacks import Callback, Row
from nettrain.training.distributed.group import PeersLost
from nettrain.training.divergence import explain
from nettrain.training.evaluate import PartEvaluation, evaluate
from nettrain.training.monitor import REFINED, TEMPERATURE, Monitor
from nettrain.training.run import Run
from nettrain.training.temperature import best_temperature


class Interrupted(NettrainError):
    """A signal ended the run between two batches, after a checkpoint.

    The exit code is 128 + the signal's number, as in shells.
    """

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number


def train_epochs(
    run: Run, callbacks: Sequence[Callback], signalled: Callable[[], int | None]
) -> None:
    """Train from where the run stands to its end.

    Args:
        run: What is trained.
        callbacks: Called in this order.
        signalled: Returns the number of a signal that asks to stop, or None.

    Raises:
        Diverged: Loss or weights are no longer finite.
        Interrupted: A signal asked to stop.
        ConfigError: A monitored metric is not defined for the part it is of.
    """
    run.progress.stop_reason = None
    for callback in callbacks:
        callback.begin(run)
    run.stopwatch.start(run.progress.seconds)
    while run.progress.stop_reason is None and run.progress.epoch < run.config.training.epochs:
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                # What is not finite is found and explained.
                train_batches(run, callbacks, signalled)
                row = close_epoch(run)
            for callback in callbacks:
                callback.epoch_end(run, row)
        except PeersLost as lost:
            raise _interrupted(run, callbacks, lost.signal) from None
    run.progress.stop_reason = run.progress.stop_reason or "epochs"
    for callback in callbacks:
        callback.end(run)


def train_batches(
    run: Run, callbacks: Sequence[Callback], signalled: Callable[[], int | None]
) -> None:
    """Train the rest of one epoch."""
    progress, step_rows = run.progress, run.plan.step_rows
    order = epoch_order(run)[: run.plan.steps_per_epoch * step_rows]
    observing = [
        callback for callback in callbacks if type(callback).batch_end is not Callback.batch_end
    ]
    while progress.batch < run.plan.steps_per_epoch:
        start = progress.batch * step_rows
        rows, following = order[start : start + step_rows], order[start + step_rows :][:step_rows]
        loss = run.step(rows, run.rate, following)
        if not math.isfinite(loss):
            what = f"the loss of batch {progress.batch + 1} is {loss / len(rows):g}"
            raise _diverged(run, callbacks, rows, what)
        progress.batch += 1
        progress.weight += run.step.weight(rows)
        progress.loss_sum += loss
        for callback in observing:
            callback.batch_end(run)
        number = signalled()
        if number is not None:
            raise _interrupted(run, callbacks, number)
    if not np.isfinite(run.network.vector.values).all():
        what = f"the weights after batch {progress.batch} are no longer finite"
        raise _diverged(run, callbacks, order[-step_rows:], what)


def close_epoch(run: Run) -> Row:
    """Evaluate the parts that are evaluated each epoch, count the epoch, return its row."""
    progress = run.progress
    row: Row = {
        "epoch": progress.epoch + 1,
        "step": run.update.steps,
        "lr": run.rate_of(run.update.steps - 1),
        "train_loss": progress.loss_sum / progress.weight,
        "train_penalty": run.update.penalty(),
    }
    outcomes: dict[str, Outcome] = {}
    with run.evaluated_weights():
        for part in run.evaluated_parts:
            evaluation = evaluate(
                run.outputs(run.parts[part]),
                run.loss,
                run.pipeline,
                run.parts[part],
                run.plan.metrics,
            )
            outcomes[part] = evaluation.outcome
            for name, value in evaluation.metrics.items():
                row.setdefault(f"{part}_{name}", value)
            if part == "validation" and run.config.training.refine:
                row |= refined(run, evaluation)
    if progress.epoch == 0:
        for monitor in (run.plan.monitor, run.plan.stopping_monitor, run.plan.schedule_monitor):
            if monitor is not None:
                _check_defined(run, monitor, row, outcomes)
    progress.epoch += 1
    progress.batch, progress.loss_sum, progress.weight = 0, 0.0, 0.0
    progress.seconds = run.stopwatch.seconds()
    row["seconds"] = round(progress.seconds, 6)
    return row


def refined(run: Run, evaluation: PartEvaluation) -> dict[str, float]:
    """The log loss of the validation rows after temperature scaling, and the temperature.

    Early stopping by it is refinement stopping: how well classes are told apart and how sure a
    network is go wrong at different times, and only the latter can be mended afterwards. Berta,
    Holzmüller, Jordan & Bach 2025, "Rethinking Early Stopping: Refine, Then Calibrate".
    """
    outputs, truth = evaluation.outputs, run.parts["validation"].truth
    if outputs is None or truth is None or not np.isfinite(outputs).all():
        return {REFINED: math.nan}
    temperature, loss = best_temperature(run.loss, run.pipeline, outputs, truth)
    return {REFINED: loss, TEMPERATURE: temperature}


def epoch_order(run: Run) -> np.ndarray:
    """The rows in this epoch's order, which depends on the seed and the epoch alone."""
    n = len(run.parts["train"])
    if not run.config.training.shuffle:
        return np.arange(n)
    return streams.generator(run.config.seed, "shuffle", run.progress.epoch).permutation(n)


def _check_defined(run: Run, monitor: Monitor, row: Row, outcomes: dict[str, Outcome]) -> None:
    """Raises ConfigError where a monitored metric has no value: nothing could be decided by it."""
    part = monitor.evaluated_part
    if monitor.name in row or part is None:
        return
    reason = undefined_reason(monitor.metric, outcomes[part], run.plan.metrics)
    raise ConfigError(
        f"{monitor.key}: {monitor.name} is not defined for the {len(run.parts[part])} rows of the "
        f"{part} part: {reason}; monitor {part}_loss, or give that part other rows (dataset.split)"
    )


def _diverged(run: Run, callbacks: Sequence[Callback], rows: np.ndarray, what: str) -> Diverged:
    for callback in callbacks:
        callback.diverged(run)
    return Diverged(explain(run, rows, what))


def _interrupted(run: Run, callbacks: Sequence[Callback], number: int) -> Interrupted:
    """What ends the run, after its state has been saved: that after the last complete step."""
    run.progress.seconds = run.stopwatch.seconds()
    if run.step.whole:
        for callback in callbacks:
            callback.interrupt(run)
    return Interrupted(_interruption(run), number)


def _interruption(run: Run) -> str:
    where = (
        f"epoch {run.progress.epoch + 1}, batch {run.progress.batch} of {run.plan.steps_per_epoch}"
    )
    if run.directory is None:
        return f"interrupted in {where}"
    return f"interrupted in {where}; to resume: nettrain fit --resume {run.directory.path}"
