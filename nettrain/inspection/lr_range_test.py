"""The learning rate range test: which rate to begin with."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nettrain.errors import ConfigError
from nettrain.optim import ClosureOptimizer
from nettrain.training.artifacts.directory import numbered_names
from nettrain.training.artifacts.files import disk_errors, write_atomically
from nettrain.training.artifacts.spreadsheet import csv_text
from nettrain.training.engine.blas import one_blas_thread
from nettrain.training.loop import epoch_order
from nettrain.training.run import Run

LOWEST, HIGHEST, STEPS = 1e-6, 10.0, 100
SMOOTHING = 0.9  # share of the smoothed loss that a step keeps
TOO_HIGH = 4.0  # times the lowest smoothed loss: the rest of the curve says no more


@dataclass(frozen=True)
class Curve:
    """The curve of a learning-rate range test, one entry per step.

    Attributes:
        rates: Learning rates.
        losses: The mean loss of each batch.
        smoothed: What has become of the loss at the start: its mean over all batches, plus the
            smoothed difference between the loss of a batch and its loss with the initial weights.
        suggestion: The rate to begin with; None where no rate helps.
    """

    rates: list[float]
    losses: list[float]
    smoothed: list[float]
    suggestion: float | None

    def write(self, folder: Path, name: str) -> Path:
        """As CSV: name-find-lr.csv, or -2, -3 ... where that is taken."""
        steps = range(1, len(self.rates) + 1)
        rows = zip(steps, self.rates, self.losses, self.smoothed, strict=True)
        paths = (folder / f"{free}.csv" for free in numbered_names(f"{name}-find-lr"))
        path = next(path for path in paths if not path.exists())
        with disk_errors(path):
            folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, csv_text(["step", "lr", "loss", "smoothed"], rows))
        return path


def find_lr(run: Run) -> Curve:
    """Train a run for 100 steps, the rate rising from 1e-6 to 10 by a constant factor.

    Its schedule is not used. Each batch is compared with itself, so that easy and hard ones do not
    hide the fall: small batches differ more than a rate changes their loss. Smith 2017, "Cyclical
    learning rates for training neural networks", section 3.3, with a rate that rises exponentially.

    Args:
        run: That nothing else uses.

    Raises:
        ConfigError: The optimizer has no learning rate in this sense.
    """
    if isinstance(run.config.optimizer, ClosureOptimizer):
        raise ConfigError(
            f"optimizer: {run.config.optimizer.name()} chooses its steps itself: there is no rate "
            "to find for it"
        )
    rates, losses, starts, changes = [], [], list[float](), list[float]()
    initial, change = run.network.vector.values.copy(), 0.0
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for step, lr in enumerate(np.geomspace(LOWEST, HIGHEST, STEPS).tolist(), start=1):
            rows = next_rows(run)
            weight = run.step.weight(rows) or 1
            start = _loss_with(initial, run, rows) / weight
            loss = run.step(rows, lr) / weight
            if not math.isfinite(loss):
                break
            change = SMOOTHING * change + (1 - SMOOTHING) * (loss - start)
            rates.append(lr)
            losses.append(loss)
            starts.append(start)
            changes.append(
                change / (1 - SMOOTHING**step)
            )  # without the bias of starting at 0, as in Adam
            level = float(np.mean(starts))
            if step > STEPS // 10 and level + changes[-1] > TOO_HIGH * (level + min(changes)):
                break
    smoothed = [float(np.mean(starts)) + change for change in changes]
    return Curve(rates, losses, smoothed, suggest(rates, smoothed))


def _loss_with(weights: np.ndarray, run: Run, rows: np.ndarray) -> float:
    """The sum of the loss over rows of the next step, with other weights."""
    vector = run.network.vector.values
    current = vector.copy()
    vector[...] = weights
    try:
        return run.step.loss(rows)
    finally:
        vector[...] = current


def suggest(rates: list[float], smoothed: list[float]) -> float | None:
    """A tenth of the rate at which the smoothed loss is lowest.

    At its lowest the loss is about to rise, and smoothing shows it about five times too late: a
    tenth is safely before. None where the loss never falls by a twentieth of where it began.
    """
    if not smoothed:
        return None
    lowest = int(np.argmin(smoothed))
    if smoothed[lowest] > 0.95 * float(np.median(smoothed[: STEPS // 5])):
        return None
    return float(f"{rates[lowest] / 10:.2g}")


def next_rows(run: Run) -> np.ndarray:
    """The rows of the next step, in the order in which training would take them."""
    if run.progress.batch == run.plan.steps_per_epoch:
        run.progress.epoch, run.progress.batch = run.progress.epoch + 1, 0
    rows = epoch_order(run)[
        run.progress.batch * run.plan.step_rows : (run.progress.batch + 1) * run.plan.step_rows
    ]
    run.progress.batch += 1
    return rows
