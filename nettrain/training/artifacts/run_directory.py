"""The run directory: its layout, how it comes to be, and what is written into it."""

import io
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import numpy as np

from nettrain.config.dump import dump
from nettrain.config.run_config import RunConfig
from nettrain.errors import CheckpointError, RunError, nearest
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.artifacts.directory import (
    Layout,
    locked,
    new_directory,
    remove_directory,
    written_by_nettrain,
)
from nettrain.training.artifacts.environment import environment
from nettrain.training.artifacts.files import (
    append_line,
    disk_errors,
    remove_temporaries,
    write_atomically,
    write_json,
)
from nettrain.training.artifacts.json_lines import JsonLines
from nettrain.training.artifacts.metadata import Metadata
from nettrain.training.artifacts.snapshots import Snapshots

RUN_LAYOUT = Layout(
    "a run directory",
    files=(
        "config.yaml",
        "environment.json",
        "metrics.jsonl",
        "diagnostics.jsonl",
        "summary.json",
        "splits.npz",
        "log.txt",
        "events.out.tfevents.*",
    ),
    folders={
        "checkpoints": Layout("a folder of checkpoints", ("best.safetensors", "last.safetensors")),
        "snapshots": Layout("a folder of snapshots", ("epoch-*.safetensors",)),
    },
    marks=("config.yaml", "environment.json"),
    is_ours=written_by_nettrain,
)


class RunDirectory:
    """The files of one run.

    config.yaml, environment.json, metrics.jsonl, summary.json, splits.npz, log.txt,
    checkpoints/best.safetensors and last.safetensors; diagnostics.jsonl with `diagnostics: true`;
    snapshots/epoch-*.safetensors with `training.snapshots`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.metrics = JsonLines(path / "metrics.jsonl")
        self.diagnostics = JsonLines(path / "diagnostics.jsonl")
        self.summary = path / "summary.json"
        self.best = path / "checkpoints" / "best.safetensors"
        self.last = path / "checkpoints" / "last.safetensors"
        self.snapshots = Snapshots(path / "snapshots")

    @classmethod
    def create(cls, parent: Path, name: str, *, exact: bool, overwrite: bool) -> "RunDirectory":
        """A new, empty directory.

        Args:
            parent: Where it is made.
            name: Its name; one that is taken gets a suffix (digits-2), unless `exact`.
            exact: Whether a name that is taken is an error.
            overwrite: Whether a run of that name is removed first.
        """
        if overwrite and (parent / name).exists():
            remove_directory(parent / name, RUN_LAYOUT)
        remedy = "choose another --run-name, or --overwrite it"
        path = new_directory(parent, name, exact=exact, remedy=remedy)
        with disk_errors(path):
            (path / "checkpoints").mkdir()
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> "RunDirectory":
        """An existing run. Raises RunError where there is none."""
        if not path.is_dir():
            siblings = (
                [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
            )
            raise RunError(f"{path}: there is no such run directory{nearest(path.name, siblings)}")
        directory = cls(path)
        if not directory.config.is_file() and not directory.last.is_file():
            made = (path / "checkpoints").is_dir() and not any(RUN_LAYOUT.foreign(path))
            raise RunError(
                f"{path}: the run ended before its configuration was written, so there is nothing "
                f"to resume: train again (nettrain fit CONFIG --run-name {path.name} --overwrite)"
                if made
                else f"{path}: is not a run directory (it has no config.yaml)"
            )
        return directory

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Inside, no other process trains into this directory. Raises RunError where one does.

        What processes that were killed have left half written is removed.
        """
        with locked(self.path):
            for folder in (self.path, self.last.parent, self.snapshots.folder):
                remove_temporaries(folder)
            yield

    def write_config(self, config: RunConfig) -> None:
        """The resolved configuration, complete and runnable."""
        write_atomically(self.config, dump(config).encode())

    def write_summary(self, summary: Mapping[str, object]) -> None:
        """The final metrics, or why there are none."""
        write_json(self.summary, summary)

    def write_environment(self, fingerprint: str, kernels: str) -> None:
        """What the bits depend on beside the configuration."""
        write_json(self.path / "environment.json", environment(fingerprint, kernels))

    def write_splits(self, rows: Mapping[str, np.ndarray]) -> None:
        """The row indices of each part."""
        content = io.BytesIO()
        np.savez(content, **rows)  # type: ignore[arg-type]
        write_atomically(self.path / "splits.npz", content.getvalue())

    def log(self, text: str) -> None:
        """A dated line in log.txt."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        append_line(self.path / "log.txt", f"{now} {text}")

    def begin(
        self, config: RunConfig, fingerprint: str, kernels: str, rows: Mapping[str, np.ndarray]
    ) -> None:
        """Write what a run has before its first epoch; a disk that is full leaves no directory.

        Args:
            config: The final configuration.
            fingerprint: Of the data.
            kernels: numpy or numba.
            rows: The indices of the rows of each part.
        """
        new = not self.config.exists()
        try:
            self.metrics.cut(0)
            self.diagnostics.cut(0)
            self.write_environment(fingerprint, kernels)
            self.write_splits(rows)
            self.write_config(config)
        except RunError:
            if new:
                shutil.rmtree(self.path, ignore_errors=True)
            raise


class FollowedDirectory(RunDirectory):
    """A run directory that another process writes: what this one would write is dropped."""

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The process that writes has locked it."""
        yield

    def write_config(self, config: RunConfig) -> None:
        """Nothing."""

    def write_summary(self, summary: Mapping[str, object]) -> None:
        """Nothing."""

    def log(self, text: str) -> None:
        """Nothing."""

    def begin(
        self, config: RunConfig, fingerprint: str, kernels: str, rows: Mapping[str, np.ndarray]
    ) -> None:
        """Nothing."""


def checkpoint_path(path: Path) -> Path:
    """The checkpoint that a path means: of a run directory, the one with the weights of the run.

    These are the weights that its summary describes: those of the best epoch, or the last ones
    where `early_stopping.restore_best` is false or no metric chose an epoch. Every command and
    every search asks here.

    Raises:
        RunError: The directory is none of a run.
        CheckpointError: The checkpoint is not there.
    """
    if not os.path.isdir(path):  # not Path.is_dir, which fails at a name that is too long
        return path
    directory = RunDirectory.open(path)
    if not directory.last.exists():
        if directory.best.exists():  # an ensemble, or `last` was removed
            return directory.best
        raise CheckpointError(
            f"{path}: this run has no checkpoint yet; resume it: nettrain fit --resume {path}"
        )
    metadata = Checkpoint.read_metadata(directory.last)
    if not restores_best(metadata):
        return directory.last
    if not directory.best.exists():
        raise CheckpointError(
            f"{directory.best}: is missing, and holds the weights that the run was evaluated with; "
            f"put it back, or name the other checkpoint: {directory.last}"
        )
    return directory.best


def restores_best(metadata: Metadata) -> bool:
    """Whether the weights of a run are those of its best epoch, as its last checkpoint says."""
    stopping = metadata.config.get("early_stopping")
    if isinstance(stopping, dict) and stopping.get("restore_best") is False:
        return False
    best = (metadata.callbacks or {}).get("BestWeights", {})
    return best.get("epoch") is not None
