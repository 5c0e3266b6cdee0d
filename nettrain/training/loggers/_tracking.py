"""A client of an MLflow server that gives up soon, and finds again what it has logged."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any

IDENTITY = "nettrain.identity"  # the tag by which a run is found again
PARENT = "mlflow.parentRunId"
BATCH = 100  # params or tags of one request; MLflow's limit
LENGTH = 6000  # characters of a param; MLflow's limit
# A training does not wait for a server that is away; what the user has set stays.
WAITS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",  # seconds
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
_ENVIRONMENT = Lock()


@contextmanager
def short_waits() -> Iterator[None]:
    """Inside, requests give up after seconds; the environment is as before afterwards."""
    with _ENVIRONMENT:
        added = {name: value for name, value in WAITS.items() if name not in os.environ}
        os.environ.update(added)
        try:
            yield
        finally:
            for name in added:
                os.environ.pop(name, None)


class Tracking:
    """One experiment on one server.

    Args:
        uri: Of the server.
        experiment: Its name; it is created if need be.
    """

    def __init__(self, uri: str, experiment: str) -> None:
        with short_waits():
            from mlflow.exceptions import MlflowException
            from mlflow.tracking import MlflowClient

            self._client = MlflowClient(tracking_uri=uri)
            found = self._client.get_experiment_by_name(experiment)
            if found is None:
                try:
                    self._experiment = self._client.create_experiment(experiment)
                    return
                except MlflowException:  # another process has just created it
                    found = self._client.get_experiment_by_name(experiment)
            if found is None or found.lifecycle_stage != "active":
                raise ValueError(f"the experiment {experiment!r} is deleted; name another one")
            self._experiment = found.experiment_id

    def find(self, identity: str) -> str | None:
        """The ID of the run that was logged under an identity."""
        with short_waits():
            found = self._client.search_runs(
                [self._experiment], f"tags.`{IDENTITY}` = '{identity}'", max_results=1
            )
        return found[0].info.run_id if found else None

    def open(self, identity: str, name: str, started: float, parent: str | None = None) -> str:
        """The ID of the run of an identity, running again, or of a new one.

        Args:
            identity: Of the run.
            name: That is shown.
            started: Seconds since 1970.
            parent: The ID of the run that it is a child of.
        """
        found = self.find(identity)
        with short_waits():
            if found is not None:
                self._client.update_run(found, status="RUNNING")
                return found
            tags = {IDENTITY: identity} | ({} if parent is None else {PARENT: parent})
            run = self._client.create_run(
                self._experiment, start_time=round(started * 1000), tags=tags, run_name=name
            )
        return run.info.run_id

    def params(self, run: str, params: Mapping[str, str]) -> None:
        """Write params; one that has another value already becomes a tag, as params are final."""
        from mlflow.entities import Param, RunTag

        with short_waits():
            known = self._client.get_run(run).data.params
            new = [Param(key, value) for key, value in params.items() if key not in known]
            changed = [
                RunTag(f"changed.{key}", value)
                for key, value in params.items()
                if known.get(key, value) != value
            ]
            for start in range(0, len(new), BATCH):
                self._client.log_batch(run, params=new[start : start + BATCH])
            if changed:
                self._client.log_batch(run, tags=changed[:BATCH])

    def steps(self, run: str, metric: str) -> set[int]:
        """The steps at which a metric has been logged."""
        with short_waits():
            return {point.step for point in self._client.get_metric_history(run, metric)}

    def metrics(self, run: str, points: list[tuple[str, float, int, int]]) -> None:
        """Write points (metric, value, milliseconds since 1970, step), up to 1000 at a time."""
        from mlflow.entities import Metric

        with short_waits():
            for start in range(0, len(points), 1000):
                batch = [Metric(*point) for point in points[start : start + 1000]]
                self._client.log_batch(run, metrics=batch)

    def artifacts(self, run: str, folder: str, under: str | None = None) -> None:
        """Upload all files of a folder."""
        with short_waits():
            self._client.log_artifacts(run, folder, under)

    def tag(self, run: str, key: str, value: str) -> None:
        """Set a tag."""
        with short_waits():
            self._client.set_tag(run, key, value)

    def close(self, run: str, status: str, ended: float) -> None:
        """Set the status of a run: FINISHED, FAILED or KILLED."""
        silent = "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"  # stdout is for data
        with short_waits():
            before = os.environ.get(silent)
            os.environ[silent] = "true"
            try:
                self._client.set_terminated(run, status, end_time=round(ended * 1000))
            finally:
                if before is None:
                    del os.environ[silent]
                else:
                    os.environ[silent] = before


def flat(config: Mapping[str, Any]) -> dict[str, str]:
    """A configuration as params: `optimizer.lr` and its value as text.

    Lists are numbered only where they hold mappings: `model.layers.0.type`, but `model.hidden`.
    """
    found: dict[str, str] = {}
    _flatten(config, "", found)
    return found


def _flatten(value: Any, path: str, found: dict[str, str]) -> None:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            _flatten(item, f"{path}.{key}".lstrip("."), found)
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        for place, item in enumerate(value):
            _flatten(item, f"{path}.{place}", found)
    else:
        found[path] = str(value)[:LENGTH]
