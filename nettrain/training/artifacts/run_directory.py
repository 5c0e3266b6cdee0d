"""The run directory: its layout, how it comes to be, and what is written into it."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import numpy as np

from nettrain.config.dump import dump
from nettrain.config.run_config import RunConfig
from nettrain.errors import CheckpointError, RunError, nearest
from nettrain.training.artifacts.directory import (
    Layout,
    locked,
    new_directory,
    remove_directory,
    written_by_nettrain,
)
from nettrain.training.artifacts.environment import environment
from nettrain.training.artifacts.files import disk_errors, write_atomically, write_json
from nettrain.training.artifacts.json_lines import RowFile

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
    ),
    folders={
        "checkpoints": Layout("a folder of checkpoints", ("best.safetensors", "last.safetensors"))
    },
    is_ours=written_by_nettrain,
)


class RunDirectory:
    """runs/digits: config.yaml, environment.json, metrics.jsonl, summary.json, splits.npz, checkpoints/best and last, log.txt.

    With `diagnostics: true` there is diagnostics.jsonl too.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.metrics = RowFile(path / "metrics.jsonl")
        self.diagnostics = RowFile(path / "diagnostics.jsonl")
        self.best = path / "checkpoints" / "best.safetensors"
        self.last = path / "checkpoints" / "last.safetensors"

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
                f"{path}: the run ended before its configuration was written, so there is nothing to "
                f"resume: train again (nettrain fit CONFIG --run-name {path.name} --overwrite)"
                if made
                else f"{path}: is not a run directory (it has no config.yaml)"
            )
        return directory

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Inside, no other process trains into this directory. Raises RunError where one does."""
        with locked(self.path):
            yield

    def write_config(self, config: RunConfig) -> None:
        """The resolved configuration, complete and runnable."""
        write_atomically(self.config, dump(config).encode())

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
        with (
            disk_errors(self.path / "log.txt"),
            open(self.path / "log.txt", "a", encoding="utf-8") as file,
        ):
            file.write(f"{datetime.now().astimezone().isoformat(timespec='seconds')} {text}\n")


def scored_checkpoint(path: Path, config: RunConfig) -> Path:
    """The checkpoint of a run directory with the weights that the run's final figures are of."""
    directory, stopping = RunDirectory(path), config.early_stopping
    last = stopping is not None and not stopping.restore_best
    return directory.last if last or not directory.best.exists() else directory.best


def checkpoint_path(path: Path) -> Path:
    """The file meant by a path: itself, or the best (else the last) checkpoint of a run directory."""
    if not path.is_dir():
        return path
    directory = RunDirectory.open(path)
    for found in (directory.best, directory.last):
        if found.exists():
            return found
    raise CheckpointError(
        f"{path}: this run has no checkpoint yet; go on with it: nettrain fit --resume {path}"
    )
