"""Loggers: what is told of a run while it trains, to pass it on to another program.

A `Logger` is a component, its fields are YAML keys; it opens a `RunLog` for each run. Whatever a
log raises becomes one warning: no logger changes a training or ends it.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nettrain.component import Component

Status = Literal["finished", "interrupted", "diverged", "failed"]
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class LoggedLayer:
    """One layer of the network.

    Attributes:
        name: In the network: `dense_1`.
        type: Its YAML name: `dense`.
        output_shape: Of one row.
        parameters: The shapes of its parameters by name.
    """

    name: str
    type: str
    output_shape: tuple[int, ...]
    parameters: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class LoggedGroup:
    """A sweep, whose trials are logged as its children.

    Attributes:
        directory: Of the sweep, absolute.
        identity: The same whenever this sweep is logged, and of no other sweep.
        spec: What sweep.yaml holds.
    """

    directory: Path
    identity: str
    spec: Mapping[str, Any]


@dataclass(frozen=True)
class LoggedRun:
    """A run when its log is opened.

    Attributes:
        name: Of the run directory; within a sweep, relative to that of the sweep.
        identity: The same whenever this run is logged, after a resume and in an export too.
        directory: Of the run.
        config: The resolved configuration.
        started: When the run began, in seconds since 1970.
        step: Steps that the run has made so far: more than 0 after a resume.
        layers: Of the network, in the order of the forward pass; empty where it is not known.
        image_shape: (h, w, c) of the inputs; None where they are no images.
        group: The sweep that the run is a trial of.
        setting: The trial's value of each parameter of the sweep.
    """

    name: str
    identity: str
    directory: Path
    config: Mapping[str, Any]
    started: float
    step: int = 0
    layers: tuple[LoggedLayer, ...] = ()
    image_shape: tuple[int, int, int] | None = None
    group: LoggedGroup | None = None
    setting: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LoggedEpoch:
    """An epoch that has ended.

    Attributes:
        row: Its row of metrics.jsonl: epoch, step, lr, train_loss, seconds, validation_loss ...
        time: When it ended, in seconds since 1970.
        weights: Returns the arrays of the network by name (`dense_1.w`), not to be changed; none
            where they are not known any more.
        gradient_norms: Returns |g|_2 of each layer, as `diagnostics` defines it.
    """

    row: Mapping[str, Any]
    time: float
    weights: Callable[[], Arrays]
    gradient_norms: Callable[[], Mapping[str, float]]

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers of the row other than epoch and step."""
        return {
            name: float(value)
            for name, value in self.row.items()
            if name not in ("epoch", "step") and value is not None
        }


@dataclass(frozen=True)
class LoggedEnd:
    """The end of a run.

    Attributes:
        status: How it ended.
        step: Steps that it has made.
        time: When, in seconds since 1970.
        metrics: The final ones, `test_accuracy`, of a finished run.
        weights: Returns the weights of the run by name; none where they are not known.
        worst: Returns the images of the evaluated part with the largest losses, (n, h, w, c).
    """

    status: Status
    step: int
    time: float
    metrics: Mapping[str, float]
    weights: Callable[[], Arrays]
    worst: Callable[[], np.ndarray | None]


class RunLog:
    """The open log of one run. Each method may be left out."""

    def step(self, step: int, time: float, values: Mapping[str, float]) -> None:
        """Every `steps_between()` steps.

        Args:
            step: Steps that the run has made.
            time: Seconds since 1970.
            values: `loss`, the mean over the steps since the last call, and `lr`.
        """

    def epoch(self, epoch: LoggedEpoch) -> None:
        """After each epoch."""

    def end(self, end: LoggedEnd) -> None:
        """At the end of the run, whatever ended it."""


class Logger(Component):
    """Passes a run on to another program; it observes only, training never depends on it."""

    kind = "logger"
    package = "nettrain.training.loggers"

    def check(self) -> None:
        """Look for what it needs, before data are loaded: its package, its settings.

        Raises:
            ConfigError: Something is missing or wrong.
        """

    def steps_between(self) -> int | None:
        """Returns the steps between two calls of `RunLog.step`; None: it is not called."""
        return None

    @abstractmethod
    def open(self, run: LoggedRun) -> RunLog:
        """Open the log of a run; after a resume, continue the one that it had."""

    def begin_group(self, group: LoggedGroup) -> None:
        """Before the first trial of a sweep."""
        return

    def end_group(self, group: LoggedGroup, status: Status) -> None:
        """After a sweep."""
        return
