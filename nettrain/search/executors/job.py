"""What an executor does with one job, in whatever process it does so: train, report, and turn every way to end into an `Ended`."""

import dataclasses
import math
import shutil
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from nettrain.data.loader import Loader
from nettrain.errors import Diverged, NettrainError, RunError
from nettrain.search.executors.base import DatasetInfo, Ended, Job, Status
from nettrain.training.artifacts.files import finite
from nettrain.training.artifacts.run_directory import RunDirectory
from nettrain.training.callbacks import Callback, Row, monitored_value
from nettrain.training.loop import Interrupted
from nettrain.training.run import Run
from nettrain.training.train import prepare_run, train

MONITOR = "metric.name"  # the key that is to blame for a metric that is not logged
PATIENCE = 10.0  # seconds in which the process that had a run before must have let go of it


class Line(Protocol):
    """The line from a run to whoever began it."""

    def report(self, epoch: int, value: float) -> None:
        """The monitored metric after an epoch."""

    def given_up(self) -> bool:
        """Whether the run is to end; asked after each epoch."""


def run_job(
    job: Job, line: Line, loader: Loader | None = None, callbacks: Sequence[Callback] = ()
) -> Ended:
    """Make the run. Whatever goes wrong is in the result, but for `Interrupted` (a signal) and what ends a process."""
    began = time.monotonic()
    reporting = Reporting(job, line)
    try:
        clear(Path(job.parent) / job.name)
        result = train(
            job.config, output_directory=job.parent, run_name=job.name, allow_plugins=True, threads=1, loader=loader,
            callbacks=[reporting, *callbacks], held_out=job.held_out,
        )  # fmt: skip
    except Interrupted:
        raise
    except Exception as error:
        status, message = told(error)
        return Ended(job.index, status, None, message, time.monotonic() - began)
    status = "pruned" if reporting.pruned else "finished"
    return Ended(
        job.index, status, finite(dataclasses.asdict(result)), "", time.monotonic() - began
    )


def describe_dataset(
    config: Mapping[str, Any], monitor: str | None, loader: Loader | None = None
) -> DatasetInfo:
    """Load the data of a configuration, build its network, look for the metric. Raises NettrainError."""
    run = prepare_run(config, allow_plugins=True, loader=loader)
    if monitor is not None:
        run.monitored(MONITOR, monitor)
    return DatasetInfo(
        run.pipeline.schema.task, {name: len(part) for name, part in run.parts.items()}
    )


def told(error: Exception) -> tuple[Status, str]:
    """What an exception of a run is called, in a line."""
    if isinstance(error, Diverged):
        return "diverged", str(error)
    if isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError):
        return "out_of_memory", f"out of memory: {error}".removesuffix(": ")
    if isinstance(error, NettrainError):
        return "failed", str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        "failed",
        f"{type(error).__name__}: {error} ({last.filename}:{last.lineno}, in {last.name})",
    )


def clear(path: Path) -> None:
    """Remove what an earlier attempt left, once its process has let go of it."""
    last = time.monotonic() + PATIENCE
    while path.exists():
        try:
            with RunDirectory(path).locked():
                shutil.rmtree(path)
        except RunError:
            if time.monotonic() > last:
                raise
            time.sleep(0.05)


class Reporting(Callback):
    """Reports the monitored metric after an epoch, and ends the run where it is given up."""

    def __init__(self, job: Job, line: Line) -> None:
        self.pruned = False
        self._job = job
        self._line = line
        self._next = 0.0

    def begin(self, run: Run) -> None:
        """See to it that the metric is evaluated."""
        if self._job.monitor is None:
            return
        name = run.monitored(MONITOR, self._job.monitor)
        if name.startswith("train_") and name != "train_loss" and "train" not in run.watched:
            run.watched.append("train")

    def epoch_end(self, run: Run, row: Row) -> None:
        """Report, unless it is too early for that."""
        if self._job.monitor is not None and time.monotonic() >= self._next:
            self._next = time.monotonic() + self._job.pause
            value = monitored_value(row, self._job.monitor)
            if not math.isnan(value):
                self._line.report(run.progress.epoch, value)
        if self._line.given_up() and run.progress.epoch < run.config.training.epochs:
            self.pruned, run.progress.stop_reason = True, "pruned"
