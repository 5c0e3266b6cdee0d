"""What a directory of nettrain holds, read as far as it goes: a missing file ends nothing."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nettrain.config.key_path import KeyPath, parse
from nettrain.config.yaml_text import read
from nettrain.data.readers.arrays import array_names, read_npz
from nettrain.errors import ConfigError, DataError, RunError, nearest
from nettrain.files import read_text
from nettrain.inspection.directory_kind import CALLED, Kind, kind_of
from nettrain.inspection.file_shapes import (
    DIVISION,
    ENVIRONMENT,
    SUMMARY,
    SWEEP,
    DiagnosticsRow,
    TrialRow,
    epochs_of,
    json_object,
    json_rows,
    sound,
)
from nettrain.training.artifacts.directory import is_locked
from nettrain.training.artifacts.run_directory import RunDirectory

State = Literal["finished", "interrupted", "diverged", "running"]


@dataclass(frozen=True)
class RecordedRun:
    """A run, sweep, cross-validation or ensemble, as its directory tells it."""

    path: Path
    kind: Kind

    @classmethod
    def open(cls, path: Path) -> "RecordedRun":
        """Returns the directory's record. Raises RunError where nettrain made no such directory."""
        if not path.exists():
            siblings = (
                [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
            )
            raise RunError(f"{path}: there is no such run directory{nearest(path.name, siblings)}")
        kind = kind_of(path)
        if kind is None:
            what = "a file" if path.is_file() else "not a run directory"
            remedy = "name the directory that nettrain fit made (nettrain runs lists them)"
            raise RunError(f"{path}: is {what}; {remedy}")
        return cls(path, kind)

    @property
    def state(self) -> State:
        """Returns how far it has come; `running` is what another process holds the lock of."""
        with suppress(OSError):  # a directory that may not be opened
            if is_locked(self.path):
                return "running"
        if self.summary.get("stop_reason") == "diverged":
            return "diverged"
        done = "metrics" if self.kind in ("run", "ensemble") else "directory"
        return "finished" if self.summary.get(done) else "interrupted"

    @cached_property
    def summary(self) -> dict[str, Any]:
        """What summary.json holds; empty before the end."""
        return json_object(self.path / "summary.json", SUMMARY)

    @cached_property
    def environment(self) -> dict[str, Any]:
        """What environment.json holds."""
        return json_object(self.path / "environment.json", ENVIRONMENT)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The configuration as written, not validated; of a sweep its base. Empty: unreadable."""
        if self.kind == "sweep":
            base = self.sweep.get("base")
            return base if isinstance(base, dict) else {}
        return self._yaml("base.yaml" if self.kind == "cv" else "config.yaml")

    @cached_property
    def division(self) -> dict[str, Any]:
        """How a cross-validation was divided, as cv.json holds it."""
        return json_object(self.path / "cv.json", DIVISION)

    @cached_property
    def sweep(self) -> dict[str, Any]:
        """What sweep.yaml holds."""
        return sound(self._yaml("sweep.yaml"), SWEEP)

    @cached_property
    def epochs(self) -> list[dict[str, Any]]:
        """The complete rows of metrics.jsonl, one per epoch."""
        return epochs_of(self.path / "metrics.jsonl")

    @cached_property
    def diagnostics(self) -> list[dict[str, Any]]:
        """The complete rows of diagnostics.jsonl, one per epoch."""
        return json_rows(self.path / "diagnostics.jsonl", DiagnosticsRow)

    @cached_property
    def trials(self) -> list[dict[str, Any]]:
        """The trials of a sweep; of several lines about one, the last."""
        rows = json_rows(self.path / "trials.jsonl", TrialRow)
        return list({row["index"]: row for row in rows}.values())

    @cached_property
    def rows(self) -> dict[str, np.ndarray]:
        """The row indices of each part, as splits.npz holds them; empty where it cannot be read."""
        path = self.path / "splits.npz"
        try:
            return read_npz(path, {name: name for name in array_names(path)})
        except DataError:
            return {}

    @property
    def fingerprint(self) -> str | None:
        """The fingerprint of the data."""
        found = self.environment.get("data_fingerprint")
        return found if isinstance(found, str) else None

    @property
    def checkpoints(self) -> dict[str, Path]:
        """The checkpoints that there are: best, last."""
        directory = RunDirectory(self.path)
        named = {"best": directory.best, "last": directory.last}
        return {name: path for name, path in named.items() if path.is_file()}

    @property
    def snapshots(self) -> dict[int, Path]:
        """The snapshots by epoch."""
        return RunDirectory(self.path).snapshots.paths()

    def value(self, key: str) -> Any:
        """Returns the configuration's value at `model.hidden[1]`; None where there is none."""
        path: KeyPath = parse(key) or ()
        found: Any = self.config
        for step in path:
            if isinstance(found, str) and step == "type":
                return found  # `model: mlp` is short for a mapping with this type
            try:
                found = found[step]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    def _yaml(self, name: str) -> dict[str, Any]:
        try:
            text = read_text(self.path / name)
            found = read(text, lambda line: f"{self.path / name}:{line}").value
        except (OSError, ValueError, ConfigError):
            return {}
        return dict(found) if isinstance(found, Mapping) else {}


def open_run(path: Path) -> RecordedRun:
    """Returns a single run. Raises RunError for a sweep, a cross-validation or an ensemble."""
    record = RecordedRun.open(path)
    if record.kind != "run":
        inner = next(iter(inner_runs(record)), None)
        example = f", such as {inner.path}" if inner else ""
        raise RunError(f"{path}: is {CALLED[record.kind]}; name one of its runs{example}")
    return record


def inner_runs(record: RecordedRun) -> list[RecordedRun]:
    """Returns the runs inside: trials and the final run, folds, members."""
    folders = [record.path, record.path / "trials"] if record.kind == "sweep" else [record.path]
    found = []
    for folder in folders:
        try:
            entries = sorted(folder.iterdir())
        except OSError:
            continue
        kinds = [(entry, kind_of(entry)) for entry in entries if entry.is_dir()]
        found += [RecordedRun(entry, kind) for entry, kind in kinds if kind is not None]
    return found
