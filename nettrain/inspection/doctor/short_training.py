"""A short training in memory, and what the network then says of each row."""

from dataclasses import dataclass

import numpy as np

from nettrain.data.part import Part
from nettrain.metrics import Decision
from nettrain.schedules import MetricSchedule
from nettrain.training.build import encoded, target_size
from nettrain.training.callbacks import Callback, Row
from nettrain.training.callbacks.best_weights import BestWeights
from nettrain.training.callbacks.metric_schedule import ScheduleByMetric
from nettrain.training.evaluate import predictions, row_losses
from nettrain.training.loop import train_epochs
from nettrain.training.run import Run


@dataclass(frozen=True)
class Judged:
    """What a network says of some rows.

    Attributes:
        losses: Of the rows (n,).
        predictions: Probabilities (n, k), of labels (n, l), or numbers (n, t) in original units.
    """

    losses: np.ndarray
    predictions: np.ndarray


@dataclass(frozen=True)
class ShortTraining:
    """A network after a short training.

    Attributes:
        steps, epochs: That were made.
        train: The training rows, with the last weights.
        last: The validation rows, with the last weights; None without validation rows.
        best: The same with the weights of the best epoch.
        epoch_losses: The training loss of every epoch.
    """

    steps: int
    epochs: int
    train: Judged
    last: Judged | None
    best: Judged | None
    epoch_losses: tuple[float, ...]


class _Losses(Callback):
    def __init__(self) -> None:
        self.values: list[float] = []

    def epoch_end(self, run: Run, row: Row) -> None:
        self.values.append(row["train_loss"])


def train_briefly(run: Run) -> ShortTraining:
    """Train a run to its end, and judge its parts.

    Raises:
        Diverged: The loss or the weights became NaN or infinite.
    """
    losses, best = _Losses(), BestWeights(run.plan.monitor)
    callbacks: list[Callback] = [losses, best]
    if isinstance(run.config.schedule, MetricSchedule):
        callbacks.append(ScheduleByMetric(run.config.schedule, run.plan.schedule_monitor))
    train_epochs(run, callbacks, lambda: None)
    validation = run.parts.get("validation")
    with run.evaluated_weights():
        train = judge(run, run.parts["train"])
        last = None if validation is None else judge(run, validation)
    chosen = last
    if validation is not None and best.weights is not None:
        best.weights.put_into(run.network)
        chosen = judge(run, validation)
    return ShortTraining(
        run.update.steps, run.progress.epoch, train, last, chosen, tuple(losses.values)
    )


def judge(run: Run, part: Part) -> Judged:
    """The losses and predictions of a part, with the weights that the network holds."""
    if part.y is None:
        raise ValueError("a part without targets has no loss")
    outputs = run.network.outputs(part.x)
    targets = encoded(run.loss, part.y, target_size(run.pipeline.schema), outputs.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        losses = row_losses(run.loss, outputs, targets).values
        predicted = predictions(outputs, run.loss, run.pipeline)
        return Judged(losses, Decision(levels=run.loss.levels).values(predicted))
