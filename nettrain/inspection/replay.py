"""Training a recorded run again, from its own configuration, in a temporary directory."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nettrain.data.in_memory import Data
from nettrain.errors import Diverged, RunError
from nettrain.inspection.recorded_run import RecordedRun
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.callbacks import Callback, Row
from nettrain.training.run import Run
from nettrain.training.train import train


class Reached(Exception):
    """Ends a replay at the place that it was to reach."""


@dataclass
class StopAt(Callback):
    """Ends training after a batch, or after an epoch (batch 0), and keeps the tensors of then.

    Attributes:
        epoch: Complete epochs; None: train to the end.
        batch: Complete batches of the epoch under way.
        kept_epoch: After which the tensors are kept too, in `kept`.
        tensors: As a checkpoint names them; empty until the place is reached.
        kept: The same, of the end of `kept_epoch`.
        order: The names of the parameters in the order of the layers.
    """

    epoch: int | None
    batch: int = 0
    kept_epoch: int | None = None
    tensors: dict[str, np.ndarray] = field(default_factory=dict)
    kept: dict[str, np.ndarray] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def begin(self, run: Run) -> None:
        """Learn the order of the parameters."""
        self.order = list(run.network.vector.views)
        if (self.epoch, self.batch) == (0, 0):
            self._stop(run)

    def batch_end(self, run: Run) -> None:
        """End here, if this is the place."""
        if self.batch and (run.progress.epoch, run.progress.batch) == (self.epoch, self.batch):
            self._stop(run)

    def epoch_end(self, run: Run, row: Row) -> None:
        """End here, if this is the place."""
        if run.progress.epoch == self.kept_epoch:
            self.kept = tensors_of(run)
        if not self.batch and run.progress.epoch == self.epoch:
            self._stop(run)

    def _stop(self, run: Run) -> None:
        self.tensors = tensors_of(run)
        raise Reached


def tensors_of(run: Run) -> dict[str, np.ndarray]:
    """Returns copies of what `last.safetensors` holds of a run under way, but for its pipeline."""
    tensors = dict(run.weights().tensors(run.network.vector))
    tensors |= {f"optimizer.{name}": slot for name, slot in run.update.slots.items()}
    return {name: np.array(tensor) for name, tensor in tensors.items()}


@contextmanager
def replayed(
    record: RecordedRun,
    *,
    data: Data | None = None,
    allow_plugins: bool = False,
    threads: int | None = None,
    callbacks: Sequence[Callback] = (),
) -> Iterator[RecordedRun]:
    """Train a run again; inside, the new run's directory exists. It may end early by `Reached`.

    Args:
        record: The run.
        data: The arrays that it was trained on, for a run from Python.
        allow_plugins: Whether the Python files that its configuration names may be imported.
        threads: To use; they change no bit.
        callbacks: Observers, called last.

    Raises:
        RunError: Its configuration is gone, or it was trained on arrays and these are not given.
    """
    config = record.path / "config.yaml"
    if not config.is_file():
        raise RunError(f"{record.path}: has no config.yaml, so it cannot be trained again")
    if data is None and record.value("dataset.source.type") == "memory":
        raise RunError(
            f"{record.path}: was trained on arrays in memory, which only Python can give: "
            "pass data=(x, y)"
        )
    with tempfile.TemporaryDirectory(prefix="nettrain-") as folder:
        with suppress(Reached, Diverged):
            train(
                config,
                data,
                sets=["training.loggers=[]"],  # it is no run of its own
                output_directory=folder,
                run_name="replay",
                allow_plugins=allow_plugins,
                threads=threads,
                callbacks=callbacks,
            )
        yield RecordedRun(Path(folder) / "replay", "run")


def content_of(record: RecordedRun, name: str) -> Mapping[str, Any]:
    """Returns what a checkpoint holds beside its tensors. Raises CheckpointError."""
    return Checkpoint.read(record.checkpoints[name]).content


def progress_of(content: Mapping[str, Any]) -> tuple[int, int]:
    """Returns (complete epochs, complete batches of the next) of a `last` checkpoint's content."""
    progress = content.get("progress") or {}
    return int(progress.get("epoch", 0)), int(progress.get("batch", 0))
