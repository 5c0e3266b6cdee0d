"""`verify`: train a run again and compare it bit for bit."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nettrain.data.in_memory import Data
from nettrain.errors import CheckpointError, RunError
from nettrain.inspection.environment_difference import environment_differences
from nettrain.inspection.first_difference import (
    EpochDifference,
    TensorDifference,
    first_epoch_difference,
    first_tensor_difference,
)
from nettrain.inspection.recorded_run import RecordedRun, open_run
from nettrain.inspection.replay import StopAt, content_of, progress_of, replayed
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.callbacks import Callback


@dataclass(frozen=True)
class Verification:
    """What came of training a run again.

    Attributes:
        run: Its directory.
        reproduces: Whether everything that was compared is the same, bit for bit.
        compared: What was: "30 epochs of metrics", "best.safetensors" ...
        epoch: The first epoch whose metrics differ.
        tensors: Of each checkpoint that differs, the first tensor that does.
        metrics: Of the summary, those that differ (by `part.metric`), recorded and new.
        environment: What differs between then and now, recorded and new.
        notes: What could not be compared, and why.
    """

    run: str
    reproduces: bool
    compared: list[str]
    epoch: EpochDifference | None
    tensors: dict[str, TensorDifference]
    metrics: dict[str, tuple[Any, Any]]
    environment: dict[str, tuple[Any, Any]]
    notes: list[str]


def verify(
    run: str | os.PathLike[str],
    *,
    data: Data | None = None,
    allow_plugins: bool = False,
    threads: int | None = None,
    callbacks: Sequence[Callback] = (),
) -> Verification:
    """Train a run again from its config.yaml, in a temporary directory, and compare.

    Compared are the metrics of every epoch, the tensors of the checkpoints `best` and `last`, and
    the metrics of the summary. An interrupted run is trained to where its last checkpoint stands.

    Args:
        run: The run directory; it is only read.
        data: The arrays that it was trained on, for a run from Python.
        allow_plugins: Whether the Python files that its configuration names may be imported.
        threads: To use; they change no bit.
        callbacks: Observers of the new training, such as one that shows progress.

    Raises:
        RunError: It is no run, or another process is training it.
        DataError: Its data cannot be read.
    """
    record = open_run(Path(run))
    if record.state == "running":
        raise RunError(f"{record.path}: another process is training it; wait for it")
    notes: list[str] = []
    stored = _stored(record, notes)
    stop = _stop(record, stored, notes)
    observers = [*callbacks, stop]
    with replayed(
        record, data=data, allow_plugins=allow_plugins, threads=threads, callbacks=observers
    ) as again:
        epochs = min(len(record.epochs), len(again.epochs))
        compared = [f"the metrics of {epochs} epoch{'s' * (epochs != 1)}"]
        epoch = first_epoch_difference(record.epochs, again.epochs)
        tensors = {}
        for name, old in stored.items():
            new = _new_tensors(again, name, stop)
            if new is None:
                notes.append(f"{name}.safetensors: the new training wrote none")
                continue
            compared.append(f"{name}.safetensors")
            groups = {key.partition(".")[0] for key in new}
            old = {key: old[key] for key in old if key.partition(".")[0] in groups}
            difference = first_tensor_difference(old, new, stop.order)
            if difference is not None:
                tensors[name] = difference
        metrics = _metric_differences(record, again)
        if record.summary.get("metrics"):
            compared.append("the final metrics")
        if record.state == "diverged":
            compared.append(f"the divergence in epoch {len(record.epochs) + 1}")
            metrics |= _divergence(record, again)
        environment = environment_differences(record.environment, again.environment)
        complete = stop.epoch is not None or len(record.epochs) == len(again.epochs)
        if not complete:
            notes.append(
                f"{len(record.epochs)} epochs were recorded, {len(again.epochs)} are trained now"
            )
    same = complete and epoch is None and not tensors and not metrics
    return Verification(
        str(record.path), same, compared, epoch, tensors, metrics, environment, notes
    )


def _stored(record: RecordedRun, notes: list[str]) -> dict[str, dict[str, np.ndarray]]:
    """The tensors of the checkpoints that can be read."""
    found = {}
    for name, path in record.checkpoints.items():
        try:
            found[name] = Checkpoint.read(path).trained
        except CheckpointError as error:
            notes.append(str(error))
    if not record.checkpoints:
        notes.append(f"{record.path}: has no checkpoint, so no weights can be compared")
    return found


def _stop(
    record: RecordedRun, stored: Mapping[str, dict[str, np.ndarray]], notes: list[str]
) -> StopAt:
    """Where the new training ends: where the recorded one was interrupted, else at its own end."""
    if record.state != "interrupted":
        return StopAt(None)
    best = content_of(record, "best").get("epoch") if "best" in stored else None
    if "last" not in stored:
        notes.append(f"the run was interrupted: compared up to epoch {len(record.epochs)}")
        return StopAt(len(record.epochs), kept_epoch=best)
    epoch, batch = progress_of(content_of(record, "last"))
    where = f"epoch {epoch + 1}, batch {batch}" if batch else f"the end of epoch {epoch}"
    notes.append(f"the run was interrupted: compared up to {where}, its last checkpoint")
    return StopAt(epoch, batch, kept_epoch=best)


def _new_tensors(again: RecordedRun, name: str, stop: StopAt) -> Mapping[str, np.ndarray] | None:
    """The tensors to compare a checkpoint with: of the new one, or of the moment of the stop."""
    if stop.epoch is None:
        path = again.checkpoints.get(name)
        return None if path is None else Checkpoint.read(path).tensors
    if name == "last":
        return stop.tensors or None
    evaluated = {key: one for key, one in stop.kept.items() if not key.startswith("optimizer.")}
    return evaluated or None


def _divergence(record: RecordedRun, again: RecordedRun) -> dict[str, tuple[Any, Any]]:
    """How both ended, where the new training did not diverge in the same epoch."""
    ends = [(one.summary.get("stop_reason"), len(one.epochs)) for one in (record, again)]
    return {} if ends[0] == ends[1] else {"stop_reason": (ends[0][0], ends[1][0])}


def _metric_differences(record: RecordedRun, again: RecordedRun) -> dict[str, tuple[Any, Any]]:
    """Of the final metrics those that differ, for the parts that the recorded run evaluated."""
    old, new = (one.summary.get("metrics") or {} for one in (record, again))
    return {
        f"{part}.{name}": (value, (new.get(part) or {}).get(name))
        for part, metrics in old.items()
        for name, value in metrics.items()
        if (new.get(part) or {}).get(name) != value
    }
