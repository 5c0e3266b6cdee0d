"""The checkpoints of a run: `best`, and `last`, from which it can be resumed."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from nettrain.component import to_mapping
from nettrain.errors import RunError
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.artifacts.weights import Weights
from nettrain.training.callbacks import Callback, Row, by_key
from nettrain.training.callbacks.best_weights import BestWeights
from nettrain.training.run import Run

BETWEEN_EPOCHS = 1.0  # seconds: no more than one write per second
WITHIN_AN_EPOCH = 60.0  # seconds: a long epoch is saved on its way


class Checkpoints(Callback):
    """Writes `best`, then `last`: after an epoch if a second has passed, within long epochs, on
    signals, and at the end.

    Both hold the weights as trained and, with `training.ema`, their moving average. `last` also
    holds the optimizer's state, the progress, and the state of every callback. It must be the last
    callback, so that what it stores is the state after the epoch.

    Args:
        best: Holds the best weights.
        own: Callbacks of nettrain whose state is stored.
        users: Callbacks of the user whose state is stored.
    """

    def __init__(
        self, best: BestWeights, own: Sequence[Callback], users: Sequence[Callback] = ()
    ) -> None:
        self.best = best
        self._own = own
        self._users = users
        self._written = time.monotonic()

    def batch_end(self, run: Run) -> None:
        """Save a long epoch on its way."""
        if time.monotonic() - self._written >= WITHIN_AN_EPOCH:
            self.write(run)

    def epoch_end(self, run: Run, row: Row) -> None:
        """Save, at most once per second."""
        if time.monotonic() - self._written >= BETWEEN_EPOCHS:
            self.write(run)

    def interrupt(self, run: Run) -> None:
        """Save."""
        self.write(run)

    def diverged(self, run: Run) -> None:
        """Save the best weights so far; the weights that are not finite are not kept."""
        self._write_best(run)

    def end(self, run: Run) -> None:
        """Save."""
        self.write(run)

    def write(self, run: Run) -> None:
        """Write both files, `best` first: `last` must never know of a best that is not on disk."""
        if run.directory is None or not np.isfinite(run.network.vector.values).all():
            return  # the loop is about to find what is not finite: the last good checkpoint stays
        run.directory.metrics.sync()
        run.directory.diagnostics.sync()
        self._write_best(run)
        content: dict[str, object] = {
            "epoch": run.progress.epoch,
            "progress": asdict(run.progress),
            "steps": run.update.steps,
            "callbacks": {key: callback.state() for key, callback in by_key(self._own).items()},
            "user_callbacks": _states(self._users),
            "notes": run.notes,
        }
        resumable_checkpoint(run, run.weights(), content).write(run.directory.last)
        self._written = time.monotonic()

    def _write_best(self, run: Run) -> None:
        if run.directory is not None and self.best.fresh and self.best.weights is not None:
            content: dict[str, object] = {"epoch": self.best.epoch, "metrics": self.best.row}
            if self.best.temperature is not None:
                content["temperature"] = self.best.temperature
            checkpoint_of(run, self.best.weights, content).write(run.directory.best)
            self.best.fresh = False


def checkpoint_of(run: Run, weights: Weights, content: dict[str, object]) -> Checkpoint:
    """Some weights of a run with everything that predicting needs."""
    packed, arrays = run.pipeline.pack()
    tensors = weights.tensors(run.network.vector)
    tensors |= {f"pipeline.{name}": array for name, array in arrays.items()}
    return Checkpoint(
        tensors,
        {
            "config": to_mapping(run.config),
            "pipeline": packed,
            "data_fingerprint": run.prepared.fingerprint,
            **content,
        },
    )


def resumable_checkpoint(run: Run, weights: Weights, content: dict[str, object]) -> Checkpoint:
    """The same with what the optimizer remembers."""
    found = checkpoint_of(run, weights, content)
    optimizer = {f"optimizer.{name}": slot for name, slot in run.update.slots.items()}
    return Checkpoint({**found.tensors, **optimizer}, found.content)


def _states(callbacks: Sequence[Callback]) -> dict[str, Any]:
    """The states of a user's callbacks. Raises RunError for one that JSON cannot hold."""
    states = {key: callback.state() for key, callback in by_key(callbacks).items()}
    for key, state in states.items():
        if not isinstance(state, dict) or not _is_json(state):
            raise RunError(
                f"callback {key}: state() must return a dict of what JSON can hold (strings, "
                f"numbers, true, false, null, lists, dicts), got {type(state).__name__}: "
                f"{str(state)[:80]}"
            )
    return {key: state for key, state in states.items() if state}


def _is_json(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_json, value))
    return value is None or isinstance(value, str | bool | int | float)
