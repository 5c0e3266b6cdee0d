"""The logger `mlflow`: a run on an MLflow tracking server."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from nettrain.component import Flag, Text
from nettrain.config.logger import (
    LoggedEnd,
    LoggedEpoch,
    LoggedGroup,
    LoggedRun,
    Logger,
    RunLog,
    Status,
)
from nettrain.errors import ConfigError
from nettrain.training.loggers._tracking import Tracking, flat

BETWEEN = 1.0  # seconds: no more than one request per second
STATUS = {
    "finished": "FINISHED",
    "interrupted": "KILLED",
    "diverged": "FAILED",
    "failed": "FAILED",
}
FILES = "run"  # the folder of the run directory among the artifacts
WITHOUT_HOST = ("sqlite", "databricks", "postgresql", "mysql", "mssql")


@dataclass(frozen=True, kw_only=True)
class Mlflow(Logger):
    """MLflow: params, metrics and files of a run on a tracking server.

    Params are the resolved configuration, `optimizer.lr`; metrics have the epoch as their step and
    the time at which it ended; the run directory is uploaded at the end. The trials of a sweep are
    children of one run. A run that is resumed or exported continues its run on the server: no epoch
    is there twice. Sent at most once per second.

    Needs the package mlflow-skinny or mlflow: pip install "nettrain[mlflow]".
    """

    uri: Annotated[
        Text | None,
        Field(
            description="address of the tracking server; null: $MLFLOW_TRACKING_URI",
            examples=["http://127.0.0.1:5000"],
        ),
    ] = None
    experiment: Annotated[Text, Field(description="name of the experiment, created if need be")] = (
        "nettrain"
    )
    artifacts: Annotated[Flag, Field(description="upload the run directory at the end")] = True

    @property
    def address(self) -> str:
        """Of the server. Raises ConfigError where there is none, or none that can be right."""
        uri = self.uri or os.environ.get("MLFLOW_TRACKING_URI", "")
        if not uri:
            raise ConfigError(
                "uri: no address of an MLflow server: set uri: http://HOST:PORT, or "
                "$MLFLOW_TRACKING_URI"
            )
        try:
            parts = urlsplit(uri)
            valid = parts.scheme.partition("+")[0] in WITHOUT_HOST or (
                parts.scheme in ("http", "https") and bool(parts.hostname)
            )
            _ = parts.port
        except ValueError:
            valid = False
        if not valid and uri != "databricks":
            raise ConfigError(
                f"uri: expected the address of an MLflow server, such as http://127.0.0.1:5000, "
                f"got {uri!r} (MLflow writes no plain folders any more)"
            )
        return uri

    def check(self) -> None:
        """Look for the package and the address; the server may still be away."""
        if find_spec("mlflow") is None:
            raise ConfigError(
                'mlflow is not installed; pip install "nettrain[mlflow]", or leave this logger out'
            )
        _ = self.address

    def open(self, run: LoggedRun) -> RunLog:
        """Create the run on the server, or continue it."""
        tracking = Tracking(self.address, self.experiment)
        parent = None if run.group is None else _parent(tracking, run.group)
        identity = tracking.open(run.identity, run.name, run.started, parent)
        tracking.params(identity, flat(run.config))
        return TrackedRun(tracking, identity, run, artifacts=self.artifacts)

    def begin_group(self, group: LoggedGroup) -> None:
        """Create the parent of the trials."""
        _parent(Tracking(self.address, self.experiment), group)

    def end_group(self, group: LoggedGroup, status: Status) -> None:
        """Close the parent of the trials."""
        tracking = Tracking(self.address, self.experiment)
        tracking.close(_parent(tracking, group), STATUS[status], time.time())


def _parent(tracking: Tracking, group: LoggedGroup) -> str:
    """The run that stands for a sweep."""
    found = tracking.find(group.identity)
    if found is None:
        started = group.directory.stat().st_mtime
        found = tracking.open(group.identity, group.directory.name, started)
        tracking.params(found, flat({key: group.spec[key] for key in group.spec if key != "base"}))
    return found


class TrackedRun(RunLog):
    """One run on the server.

    Args:
        tracking: The server.
        identity: The run's ID there.
        run: What is logged.
        artifacts: Whether its directory is uploaded.
    """

    def __init__(
        self, tracking: Tracking, identity: str, run: LoggedRun, *, artifacts: bool
    ) -> None:
        self.tracking, self.identity = tracking, identity
        self._run, self._artifacts = run, artifacts
        self._known = tracking.steps(identity, "train_loss")
        self._points: list[tuple[str, float, int, int]] = []
        self._sent = time.monotonic()

    def epoch(self, epoch: LoggedEpoch) -> None:
        """Collect the metrics; an epoch that the server has is the same and is not sent again."""
        number = epoch.row["epoch"]
        if number not in self._known:
            self._add(epoch.metrics, epoch.time, number)
        if time.monotonic() - self._sent >= BETWEEN:
            self._send()

    def end(self, end: LoggedEnd) -> None:
        """Send what is left, the final metrics and the files, and close the run."""
        self._send()
        if end.metrics and not self.tracking.steps(
            self.identity, f"final_{next(iter(end.metrics))}"
        ):
            final = {f"final_{name}": value for name, value in end.metrics.items()}
            self._add(final, end.time, 0)
            self._send()
        if self._artifacts:
            self.tracking.artifacts(self.identity, str(self._run.directory), FILES)
        self.tracking.tag(self.identity, "nettrain.status", end.status)
        self.tracking.close(self.identity, STATUS[end.status], end.time)

    def _add(self, metrics: Mapping[str, float], ended: float, step: int) -> None:
        milliseconds = round(ended * 1000)
        self._points += [(name, value, milliseconds, step) for name, value in metrics.items()]

    def _send(self) -> None:
        points, self._points = self._points, []
        self._sent = time.monotonic()
        if points:
            self.tracking.metrics(self.identity, points)
