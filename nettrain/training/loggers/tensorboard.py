"""The logger `tensorboard`: event files in the run directory."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from pydantic import Field

from nettrain.component import Count
from nettrain.config.logger import (
    LoggedEnd,
    LoggedEpoch,
    LoggedGroup,
    LoggedRun,
    Logger,
    RunLog,
)
from nettrain.errors import ConfigError
from nettrain.training.loggers import _hparams
from nettrain.training.loggers._events import PREFIX, EventFile, cut, histograms, image, scalars
from nettrain.training.loggers._graph_def import graph_def
from nettrain.training.loggers._png import filters, tiles

EXPERIMENT = "experiment"  # the event file of a sweep


@dataclass(frozen=True, kw_only=True)
class Tensorboard(Logger):
    """TensorBoard: `tensorboard --logdir runs` shows the run while it trains.

    Metrics, learning rate, gradient norms (|g|_2 of each layer on fixed training rows) and
    histograms of the weights per epoch, at the step at which the epoch ended; the layers as a
    graph, the filters and the images with the largest losses; the trials of a sweep as HParams.
    Resuming a run removes what was logged after its checkpoint.

    Needs the package tensorboard, not TensorFlow: pip install "nettrain[tensorboard]".
    """

    every_steps: Annotated[
        Count | None,
        Field(
            description="steps between two points of step/loss and step/lr; null: epochs only",
            examples=[10],
        ),
    ] = None

    def check(self) -> None:
        """Look for the package."""
        if find_spec("tensorboard") is None:
            raise ConfigError(
                'tensorboard is not installed; pip install "nettrain[tensorboard]", '
                "or leave this logger out"
            )

    def steps_between(self) -> int | None:
        """As configured."""
        return self.every_steps

    def open(self, run: LoggedRun) -> RunLog:
        """Continue in the run directory."""
        cut(run.directory, run.step)
        return EventLog(run, run.directory)

    def begin_group(self, group: LoggedGroup) -> None:
        """Describe the experiment in the sweep's directory."""
        write_experiment(group, group.directory)


def write_experiment(group: LoggedGroup, folder: Path) -> None:
    """The event file of a sweep, unless it is there."""
    if not (folder / f"{PREFIX}{EXPERIMENT}").exists():
        file = EventFile(folder, EXPERIMENT)
        file.summary(_hparams.experiment(group), 0, group.directory.stat().st_mtime)
        file.close()


class EventLog(RunLog):
    """The event file of one session of a run.

    Args:
        run: What is logged.
        folder: Where the file is made.
    """

    def __init__(self, run: LoggedRun, folder: Path) -> None:
        self._run = run
        self._file = EventFile(folder, step=run.step)
        if run.step == 0:
            if run.layers:
                self._file.graph(graph_def(run.layers), run.started)
            if run.group is not None:
                self._file.summary(_hparams.session_start(run), 0, run.started)
        self._file.flush()

    def step(self, step: int, time: float, values: Mapping[str, float]) -> None:
        """Scalars `step/loss` and `step/lr`."""
        tagged = {f"step/{name}": value for name, value in values.items()}
        self._file.summary(scalars(tagged), step, time)

    def epoch(self, epoch: LoggedEpoch) -> None:
        """Scalars and histograms."""
        step = epoch.row["step"]
        norms = {f"gradient_norm/{name}": value for name, value in epoch.gradient_norms().items()}
        values = {"epoch": float(epoch.row["epoch"])} | epoch.metrics | norms
        self._file.summary(scalars(values), step, epoch.time)
        weights = {f"weights/{name}": array for name, array in epoch.weights().items()}
        if weights:
            self._file.summary(histograms(weights), step, epoch.time)
        self._file.flush()

    def end(self, end: LoggedEnd) -> None:
        """Final metrics, pictures, and the end of the trial."""
        if end.metrics:
            final = {f"final/{name}": value for name, value in end.metrics.items()}
            self._file.summary(scalars(final), end.step, end.time)
        pictures = {
            "filters": filters(dict(end.weights()), self._run.image_shape),
            "worst_errors": end.worst(),
        }
        for tag, images in pictures.items():
            if images is not None and len(images):
                self._file.summary(image(tag, tiles(images)), end.step, end.time)
        if self._run.group is not None and end.status != "interrupted":
            self._file.summary(_hparams.session_end(end.status, end.time), end.step, end.time)
        self._file.close()
