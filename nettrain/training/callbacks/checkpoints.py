"""The checkpoints of a run: `best`, and `last`, from which it can go on."""

import time
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from nettrain.component import to_mapping
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.artifacts.weights import Weights
from nettrain.training.callbacks import Callback, Row
from nettrain.training.callbacks.best_weights import BestWeights
from nettrain.training.run import Run

BETWEEN_EPOCHS = 1.0  # seconds: no more than one write a second
WITHIN_AN_EPOCH = 60.0  # seconds: a long epoch is saved on its way


class Checkpoints(Callback):
    """Writes `best`, then `last`, at an epoch's end if a second has passed, within long epochs, on signals, and at the end.

    Both hold the weights as trained and, with `training.ema`, their moving average. `last` also holds the optimizer's state, the
    progress, and the state of every callback in `others`.
    """

    def __init__(self, best: BestWeights, others: Sequence[Callback]) -> None:
        self.best = best
        self.others = others
        self._written = time.monotonic()

    def batch_end(self, run: Run) -> None:
        """Save a long epoch on its way."""
        if time.monotonic() - self._written >= WITHIN_AN_EPOCH:
            self.write(run)

    def epoch_end(self, run: Run, row: Row) -> None:
        """Save, at most once a second."""
        if time.monotonic() - self._written >= BETWEEN_EPOCHS:
            self.write(run)

    def interrupt(self, run: Run) -> None:
        """Save."""
        self.write(run)

    def diverged(self, run: Run) -> None:
        """Save the best weights so far; what broke is not kept."""
        self._write_best(run)

    def end(self, run: Run) -> None:
        """Save."""
        self.write(run)

    def write(self, run: Run) -> None:
        """Both files, the better weights first: `last` must never know of a best that is not on disk."""
        if run.directory is None or not np.isfinite(run.network.vector.values).all():
            return  # what is not finite the loop is about to find: the last good checkpoint stays
        run.directory.metrics.sync()
        run.directory.diagnostics.sync()
        self._write_best(run)
        content: dict[str, object] = {
            "epoch": run.progress.epoch,
            "progress": asdict(run.progress),
            "steps": run.update.steps,
            "callbacks": {type(callback).__name__: callback.state() for callback in self.others},
        }
        last = checkpoint_of(run, run.weights(), content)
        optimizer = {f"optimizer.{name}": slot for name, slot in run.update.slots.items()}
        Checkpoint({**last.tensors, **optimizer}, last.content).write(run.directory.last)
        self._written = time.monotonic()

    def _write_best(self, run: Run) -> None:
        if run.directory is not None and self.best.fresh and self.best.weights is not None:
            content: dict[str, object] = {"epoch": self.best.epoch, "metrics": self.best.row}
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
