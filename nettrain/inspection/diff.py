"""`diff`: where two runs part, and what differs between them."""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nettrain.errors import CheckpointError, NettrainError, RunError
from nettrain.inference.load import load
from nettrain.inference.model import Model
from nettrain.inspection.compare import UNFINISHED
from nettrain.inspection.config_difference import config_differences
from nettrain.inspection.environment_difference import environment_differences
from nettrain.inspection.first_difference import (
    EpochDifference,
    TensorDifference,
    first_epoch_difference,
    first_tensor_difference,
)
from nettrain.inspection.recorded_run import RecordedRun, open_run
from nettrain.inspection.replay import Reached, StopAt, replayed, tensors_of
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.callbacks import Callback
from nettrain.training.run import Run


@dataclass(frozen=True)
class BatchDifference:
    """The first batch after which two runs, trained again, have different weights.

    Attributes:
        epoch: From 1.
        batch: Of that epoch, from 1; 0: before the first batch, in the initial weights.
        tensor: The first tensor that differs.
    """

    epoch: int
    batch: int
    tensor: TensorDifference


@dataclass(frozen=True)
class RunDifference:
    """What differs between two runs.

    Attributes:
        first: The directory of the first run.
        second: The directory of the second run.
        config: Both values of each key of the configuration that differs.
        environment: Both values of each version, processor and library that differs.
        data: Whether the data differs (its fingerprint); None where one is not recorded.
        parts: The parts whose rows differ.
        epoch: The first epoch whose metrics differ; None: those that both have are equal.
        epochs: How many epochs each run has logged.
        tensors: Of each checkpoint that differs, the first tensor that does.
        replayed: Whether both were trained again.
        batch: Then the first batch after which weights differ; None: none does.
        notes: What could not be compared, and why.
    """

    first: str
    second: str
    config: dict[str, tuple[Any, Any]]
    environment: dict[str, tuple[Any, Any]]
    data: bool | None
    parts: list[str]
    epoch: EpochDifference | None
    epochs: tuple[int, int]
    tensors: dict[str, TensorDifference]
    replayed: bool = False
    batch: BatchDifference | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether the runs came to the same metrics and weights."""
        return self.epoch is None and not self.tensors and self.epochs[0] == self.epochs[1]


def diff(
    first: str | os.PathLike[str],
    second: str | os.PathLike[str],
    *,
    replay: bool = False,
    allow_plugins: bool = False,
    threads: int | None = None,
) -> RunDifference:
    """Find the first epoch and tensor at which two runs part.

    Args:
        first: A run directory.
        second: Another one.
        replay: Whether to train both again, up to the epoch in which they part, for the batch.
        allow_plugins: Whether the Python files that the configurations name may be imported.
        threads: To use in replays; they change no bit.

    Raises:
        RunError: One is no run, or both are the same directory.
    """
    a, b = open_run(Path(first)), open_run(Path(second))
    if a.path.resolve() == b.path.resolve():
        raise RunError(f"{second}: is named twice; compare it with another run")
    notes: list[str] = []
    for record in (a, b):
        if record.state != "finished":
            notes.append(f"{record.path}: {UNFINISHED[record.state]}")
    epoch = first_epoch_difference(a.epochs, b.epochs)
    batch = None
    if replay:
        common = min(len(a.epochs), len(b.epochs))
        end = common if epoch is None else epoch.epoch
        batch = first_batch_difference(a, b, end, allow_plugins=allow_plugins, threads=threads)
        if batch is None:
            notes.append(
                f"trained again here, both have the same weights after each batch of {end} epochs"
            )
    known = a.fingerprint is not None and b.fingerprint is not None
    return RunDifference(
        str(a.path),
        str(b.path),
        {key: (x, y) for key, (x, y) in config_differences([a, b]).items()},
        {
            key: values
            for key, values in environment_differences(a.environment, b.environment).items()
            if key != "data_fingerprint"
        },
        a.fingerprint != b.fingerprint if known else None,
        _different_parts(a, b),
        epoch,
        (len(a.epochs), len(b.epochs)),
        _tensors(a, b, allow_plugins, notes),
        replay,
        batch,
        notes,
    )


def first_batch_difference(
    first: RecordedRun,
    second: RecordedRun,
    epochs: int,
    *,
    allow_plugins: bool = False,
    threads: int | None = None,
) -> BatchDifference | None:
    """Train both runs again and return the first batch after which their weights differ.

    The first run leaves a digest of every tensor after every batch, the second is compared with
    them as it goes and ends where one differs; then the first is trained up to there once more.
    """
    trail = _Trail(epochs)
    with replayed(first, allow_plugins=allow_plugins, threads=threads, callbacks=[trail]):
        pass
    follower = _Follower(epochs, trail.digests)
    with replayed(second, allow_plugins=allow_plugins, threads=threads, callbacks=[follower]):
        pass
    if follower.parted is None:
        return None
    epoch, batch = trail.places[follower.parted]
    stop = StopAt(epoch, batch)
    with replayed(first, allow_plugins=allow_plugins, threads=threads, callbacks=[stop]):
        pass
    tensor = first_tensor_difference(stop.tensors, follower.tensors, stop.order)
    return None if tensor is None else BatchDifference(epoch + 1, batch, tensor)


class _Trail(Callback):
    """The digests of all tensors before the first batch and after each, up to an epoch's end."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self.digests: list[bytes] = []
        self.places: list[tuple[int, int]] = []  # complete epochs, complete batches of the next

    def begin(self, run: Run) -> None:
        self._add(run)

    def batch_end(self, run: Run) -> None:
        self._add(run)

    def epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        if run.progress.epoch >= self.epochs:
            raise Reached

    def _add(self, run: Run) -> None:
        self.places.append((run.progress.epoch, run.progress.batch))
        self.digests.append(_digest(run))


class _Follower(_Trail):
    """Compares its own digests with those of another run, and ends at the first that differs."""

    def __init__(self, epochs: int, expected: list[bytes]) -> None:
        super().__init__(epochs)
        self.expected = expected
        self.parted: int | None = None
        self.tensors: dict[str, np.ndarray] = {}

    def _add(self, run: Run) -> None:
        super()._add(run)
        step = len(self.digests) - 1
        if step >= len(self.expected):
            raise Reached
        if self.digests[step] != self.expected[step]:
            self.parted, self.tensors = step, tensors_of(run)
            raise Reached


def _digest(run: Run) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for name, tensor in sorted(tensors_of(run).items()):
        digest.update(f"{name} {tensor.shape} {tensor.dtype}".encode())
        digest.update(tensor.tobytes())
    return digest.digest()


def _different_parts(first: RecordedRun, second: RecordedRun) -> list[str]:
    a, b = first.rows, second.rows
    return [
        part
        for part in dict.fromkeys([*a, *b])
        if part not in a or part not in b or not np.array_equal(a[part], b[part])
    ]


def _tensors(
    first: RecordedRun, second: RecordedRun, allow_plugins: bool, notes: list[str]
) -> dict[str, TensorDifference]:
    """The first difference in each checkpoint that both have."""
    order = _order(first, allow_plugins)
    found = {}
    for name in ("best", "last"):
        paths = [record.checkpoints.get(name) for record in (first, second)]
        missing = [
            str(one.path) for one, path in zip((first, second), paths, strict=True) if path is None
        ]
        if missing:
            notes.append(f"{' and '.join(missing)}: has no {name} checkpoint")
            continue
        try:
            tensors = [Checkpoint.read(path).trained for path in paths if path is not None]
        except CheckpointError as error:
            notes.append(str(error))
            continue
        difference = first_tensor_difference(tensors[0], tensors[1], order)
        if difference is not None:
            found[name] = difference
    return found


def _order(record: RecordedRun, allow_plugins: bool) -> list[str]:
    """The names of the parameters in the order of the layers; sorted names must do without."""
    try:
        model = load(record.path, allow_plugins=allow_plugins)
    except NettrainError:
        return []
    return list(model.network.vector.views) if isinstance(model, Model) else []
