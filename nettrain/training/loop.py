"""The training loop: begin, batches, evaluate, tell; everything else observes."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from nettrain import streams
from nettrain.errors import Diverged, NettrainError
from nettrain.training.callbacks import Callback, Row
from nettrain.training.divergence import explain
from nettrain.training.evaluate import evaluate
from nettrain.training.run import Run


class Interrupted(NettrainError):
    """A signal ended the run between two batches, after a checkpoint; the exit code is 128 + the signal's number, as shells have it."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number


def train_epochs(
    run: Run, callbacks: Sequence[Callback], signalled: Callable[[], int | None]
) -> None:
    """Epochs from where the run stands to its end. `signalled` gives the number of a signal that asks to stop."""
    run.progress.stop_reason = None
    for callback in callbacks:
        callback.begin(run)
    run.clock.start(run.progress.seconds)
    while run.progress.stop_reason is None and run.progress.epoch < run.config.training.epochs:
        with np.errstate(
            over="ignore", invalid="ignore", divide="ignore"
        ):  # what is not finite is found and explained
            train_batches(run, callbacks, signalled)
            row = close_epoch(run)
        for callback in callbacks:
            callback.epoch_end(run, row)
    run.progress.stop_reason = run.progress.stop_reason or "epochs"
    for callback in callbacks:
        callback.end(run)


def train_batches(
    run: Run, callbacks: Sequence[Callback], signalled: Callable[[], int | None]
) -> None:
    """The rest of one epoch."""
    progress = run.progress
    order = epoch_order(run)
    observing = [
        callback for callback in callbacks if type(callback).batch_end is not Callback.batch_end
    ]
    while progress.batch < run.steps_per_epoch:
        rows, then = (
            order[batch * run.step_rows : (batch + 1) * run.step_rows]
            for batch in (progress.batch, progress.batch + 1)
        )
        loss = run.step(rows, run.rate, then)
        if not math.isfinite(loss):
            raise _diverged(
                run,
                callbacks,
                rows,
                f"the loss of batch {progress.batch + 1} is {loss / len(rows):g}",
            )
        progress.batch += 1
        progress.weight += run.step.weight(rows)
        progress.loss_sum += loss
        for callback in observing:
            callback.batch_end(run)
        number = signalled()
        if number is not None:
            progress.seconds = run.clock.seconds()
            for callback in callbacks:
                callback.interrupt(run)
            raise Interrupted(_interruption(run), number)
    if not np.isfinite(run.network.vector.values).all():
        raise _diverged(
            run,
            callbacks,
            order[-run.step_rows :],
            f"the weights after batch {progress.batch} are no longer finite",
        )


def close_epoch(run: Run) -> Row:
    """Evaluate the watched parts, count the epoch, give its row of figures."""
    progress = run.progress
    row: Row = {
        "epoch": progress.epoch + 1,
        "step": run.update.steps,
        "lr": run.rate_of(run.update.steps - 1),
    }
    row |= {
        "train_loss": progress.loss_sum / progress.weight,
        "train_penalty": run.update.penalty(),
    }
    with run.evaluated_weights():
        for part in run.watched:
            figures = evaluate(
                run.network, run.loss, run.pipeline, run.parts[part], run.run_tasks
            ).metrics
            row |= {
                f"{part}_{name}": figure
                for name, figure in figures.items()
                if f"{part}_{name}" not in row
            }
    progress.epoch, progress.batch, progress.loss_sum, progress.weight = (
        progress.epoch + 1,
        0,
        0.0,
        0.0,
    )
    progress.seconds = run.clock.seconds()
    row["seconds"] = round(progress.seconds, 6)
    return row


def epoch_order(run: Run) -> np.ndarray:
    """The rows in this epoch's order, which depends on the seed and the epoch alone."""
    n = len(run.parts["train"])
    if not run.config.training.shuffle:
        return np.arange(n)
    return streams.generator(run.config.seed, "shuffle", run.progress.epoch).permutation(n)


def _diverged(run: Run, callbacks: Sequence[Callback], rows: np.ndarray, what: str) -> Diverged:
    for callback in callbacks:
        callback.diverged(run)
    return Diverged(explain(run, rows, what))


def _interruption(run: Run) -> str:
    where = f"epoch {run.progress.epoch + 1}, batch {run.progress.batch} of {run.steps_per_epoch}"
    if run.directory is None:
        return f"interrupted in {where}"
    return f"interrupted in {where}; to go on: nettrain fit --resume {run.directory.path}"
