"""One job, in any process: train, report, and turn every end into an `Ended`."""

import math
import shutil
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from nettrain.data.loader import Loader
from nettrain.errors import Diverged, NettrainError, RunError, is_system_error
from nettrain.search.executors.base import DatasetInfo, Ended, Job, Status
from nettrain.training.artifacts.files import finite
from nettrain.training.artifacts.run_directory import RunDirectory
from nettrain.training.callbacks import Callback, Row, monitored_value
from nettrain.training.loop import Interrupted
from nettrain.training.run import Run
from nettrain.training.train import prepare_run, train

METRIC_KEY = "metric.name"  # the key to blame for a metric that is not logged
PATIENCE = 10.0  # seconds in which the process that had the run before must have let go of it


class ProgressChannel(Protocol):
    """The connection of a run with whoever began it."""

    def report(self, epoch: int, value: float) -> None:
        """Send the monitored metric after an epoch."""

    def cancelled(self) -> bool:
        """Whether the run is to end; asked after each epoch."""


def run_job(
    job: Job,
    channel: ProgressChannel,
    loader: Loader | None = None,
    callbacks: Sequence[Callback] = (),
) -> Ended:
    """Make the run.

    Whatever goes wrong is in the result, but for `Interrupted` (a signal) and what ends a process.
    """
    began = time.monotonic()
    reporting = Reporting(job, channel)
    try:
        clear(Path(job.parent) / job.name)
        result = train(
            job.config,
            output_directory=job.parent,
            run_name=job.name,
            allow_plugins=job.allow_plugins,
            threads=1,
            loader=loader,
            callbacks=[reporting, *callbacks],
            held_out=job.held_out,
        )
    except Interrupted:
        raise
    except Exception as error:
        status, message = describe_failure(error)
        return Ended(job.index, status, None, message, time.monotonic() - began)
    status = "pruned" if reporting.pruned else "finished"
    content = finite(result.summary())
    return Ended(job.index, status, content, "", time.monotonic() - began)


def describe_dataset(
    config: Mapping[str, Any],
    monitor: str | None,
    *,
    allow_plugins: bool,
    loader: Loader | None = None,
) -> DatasetInfo:
    """Load the data of a configuration, build its network, look for the monitored metric.

    Raises:
        NettrainError: The configuration cannot be trained, or the metric is not logged.
    """
    run = prepare_run(config, allow_plugins=allow_plugins, loader=loader)
    if monitor is not None:
        run.watch(METRIC_KEY, monitor)
    rows = {name: len(part) for name, part in run.parts.items()}
    return DatasetInfo(run.pipeline.schema.task, rows)


def describe_failure(error: Exception) -> tuple[Status, str]:
    """The status that an exception gives to a run, and what it says, in a line."""
    if isinstance(error, Diverged):
        return "diverged", str(error)
    if isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError):
        return "out_of_memory", f"out of memory: {error}".removesuffix(": ")
    status: Status = "system_error" if is_system_error(error) else "failed"
    if isinstance(error, NettrainError):
        return status, str(error)
    if status == "system_error":
        return status, f"{type(error).__name__}: {error}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{last.filename}:{last.lineno}, in {last.name}"
    return "failed", f"{type(error).__name__}: {error} ({place})"


def clear(path: Path) -> None:
    """Remove the run of an earlier attempt, once its process has let go of it."""
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
    """Reports the monitored metric after each epoch, and ends the run where it is cancelled."""

    def __init__(self, job: Job, channel: ProgressChannel) -> None:
        self.pruned = False
        self._job = job
        self._channel = channel
        self._next = 0.0

    def begin(self, run: Run) -> None:
        """Have the metric evaluated."""
        if self._job.monitor is not None:
            run.watch(METRIC_KEY, self._job.monitor)

    def epoch_end(self, run: Run, row: Row) -> None:
        """Report, unless the last report was too short a time ago."""
        if self._job.monitor is not None and time.monotonic() >= self._next:
            self._next = time.monotonic() + self._job.pause
            value = monitored_value(row, self._job.monitor)
            if not math.isnan(value):
                self._channel.report(run.progress.epoch, value)
        if self._channel.cancelled() and run.progress.epoch < run.config.training.epochs:
            self.pruned, run.progress.stop_reason = True, "pruned"
