"""Loggers: the run is passed on to other programs, and whatever they do, training goes on."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from nettrain.config.logger import LoggedEnd, LoggedEpoch, Logger, RunLog, Status
from nettrain.diagnosis.layer_statistics import LayerStatistics
from nettrain.errors import Diverged
from nettrain.training.artifacts.run_directory import RunDirectory
from nettrain.training.callbacks import Callback, Row
from nettrain.training.callbacks.diagnostics import Diagnostics, statistics_of
from nettrain.training.evaluate import PartEvaluation
from nettrain.training.logged_run import logged_run
from nettrain.training.result import Result
from nettrain.training.run import Run

WORST = 16  # images with the largest losses
EXPORTED = ("tensorboard", "mlflow")  # what `nettrain export` can send later


@dataclass
class _Open:
    """An open log: its logger and how far the steps were told."""

    logger: Logger
    log: RunLog
    every: int | None
    loss_sum: float = 0.0
    weight: float = 0.0


class Loggers(Callback):
    """Tells every logger of the configuration what happens.

    A log that raises is closed: one warning, and the others go on. Nothing here writes to an array
    of the run, or draws a random number.

    Args:
        run: That is logged.
        directory: Of the run.
        diagnostics: Has the gradient norms of the epoch, if they are recorded anyway.
    """

    def __init__(self, run: Run, directory: RunDirectory, diagnostics: Diagnostics | None) -> None:
        self._run, self._directory, self._diagnostics = run, directory, diagnostics
        self._open: list[_Open] = []
        self._statistics: LayerStatistics | None = None
        self._worst: np.ndarray | None = None

    def begin(self, run: Run) -> None:
        """Open the logs; what came after the checkpoint is cut, where that is possible."""
        config = run.config
        if not config.training.loggers or run.directory is None:
            return
        told = logged_run(
            self._directory,
            config,
            run.network.layers,
            run.network.input_shape,
            step=run.update.steps,
        )
        for logger in config.training.loggers:
            with self._guarded(logger):
                every = logger.steps_between()
                self._open.append(_Open(logger, logger.open(told), every))

    def batch_end(self, run: Run) -> None:
        """Every so many steps, the mean loss since the last time."""
        step, progress = run.update.steps, run.progress
        for opened in list(self._open):
            if opened.every is None or step % opened.every:
                continue
            weight = progress.weight - opened.weight
            if weight <= 0:
                continue
            loss = (progress.loss_sum - opened.loss_sum) / weight
            opened.loss_sum, opened.weight = progress.loss_sum, progress.weight
            with self._guarded(opened.logger):
                opened.log.step(step, time.time(), {"loss": loss, "lr": run.rate_of(step - 1)})

    def epoch_end(self, run: Run, row: Row) -> None:
        """The row, the weights, the gradient norms."""
        if not self._open:
            return
        epoch = LoggedEpoch(row, time.time(), self._weights, self._gradient_norms)
        for opened in list(self._open):
            opened.loss_sum = opened.weight = 0.0
            with self._guarded(opened.logger):
                opened.log.epoch(epoch)

    def evaluated(self, run: Run, part: str, evaluation: PartEvaluation) -> None:
        """Keep the images with the largest losses of the validation part; without one, of train."""
        chosen = "validation" if "validation" in run.parts else "train"
        images = len(run.network.input_shape) == 3
        if not self._open or part != chosen or not images or evaluation.losses is None:
            return
        worst = np.argsort(-evaluation.losses.values, kind="stable")[:WORST]
        self._worst = np.stack([np.asarray(run.parts[part].x[np.array([i])][0]) for i in worst])

    def finished(self, result: Result) -> None:
        """Close the logs of a run that has come to its end."""
        metrics = {
            f"{part}_{name}": float(value)
            for part, found in result.metrics.items()
            for name, value in found.items()
            if value is not None
        }
        self._close("finished", metrics)

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Around the run: an exception closes the logs that are still open."""
        try:
            yield
        except BaseException as error:
            self._close(status_of(error), {})
            raise

    def _close(self, status: Status, metrics: dict[str, float]) -> None:
        step = self._run.update.steps
        end = LoggedEnd(status, step, time.time(), metrics, self._weights, lambda: self._worst)
        for opened in list(self._open):
            with self._guarded(opened.logger):
                opened.log.end(end)
        self._open.clear()

    def _weights(self) -> dict[str, np.ndarray]:
        views = {name: view.view() for name, view in self._run.network.vector.views.items()}
        for view in views.values():
            view.flags.writeable = False
        return views

    def _gradient_norms(self) -> dict[str, float]:
        if self._diagnostics is not None and self._diagnostics.layers:
            layers = self._diagnostics.layers
        else:
            self._statistics = self._statistics or statistics_of(self._run)
            layers = self._statistics.layers()
        return {
            path: found["gradient_norm"]
            for path, found in layers.items()
            if "gradient_norm" in found
        }

    @contextmanager
    def _guarded(self, logger: Logger) -> Iterator[None]:
        """Inside, an exception drops the logger's log, with one warning."""
        try:
            yield
        except Exception as error:
            self._open[:] = [opened for opened in self._open if opened.logger is not logger]
            warning = failure(logger, error)
            if logger.name() in EXPORTED:
                command = f"nettrain export {self._directory.path} --to {logger.name()}"
                warning += f"; to send it later: {command}"
            self._run.warn(warning)


def failure(logger: Logger, error: Exception) -> str:
    """The warning about a logger that failed, in a line."""
    text = " ".join(str(error).split())[:300]
    return f"logger {logger.name()}: {type(error).__name__}: {text}; training went on without it"


def status_of(error: BaseException) -> Status:
    """How an exception ends what it leaves."""
    if isinstance(error, Diverged):
        return "diverged"
    # The loop's Interrupted carries the exit code of its signal.
    by_signal = isinstance(error, KeyboardInterrupt) or getattr(error, "exit_code", 0) > 128
    return "interrupted" if by_signal else "failed"
