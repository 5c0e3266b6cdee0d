"""A model's loss and metrics on a part of the data, in evaluation mode.

The loss is the weighted mean where rows have weights, as in training. Metrics count every row
alike, as those who read them expect.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.tensor import Tensor
from nettrain.data.part import Part
from nettrain.data.pipeline import Pipeline
from nettrain.metrics import Decision, Metric, Outcome, RowLosses, all_metrics, baseline, outcome_of
from nettrain.nn.loss import Loss
from nettrain.training.build import encoded, target_size

ROWS = 1024  # per chunk

Metrics = Mapping[str, Metric]


@dataclass(frozen=True)
class PartEvaluation:
    """The evaluation of a model on one part.

    Attributes:
        metrics: The loss and every metric, by name.
        outcome: From which the metrics were computed.
        losses: Of the rows; None for an ensemble, whose members have a loss each.
        outputs: Of the network (n, o); None for an ensemble.
    """

    metrics: dict[str, float]
    outcome: Outcome
    losses: RowLosses | None
    outputs: np.ndarray | None = None


def row_losses(
    loss: Loss, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None
) -> RowLosses:
    """The loss of each row.

    Args:
        loss: Of the network.
        outputs: Of the network (n, o).
        targets: Encoded for the loss (n, ...).
        weights: Of the rows (n,); None: all count alike.
    """
    values = np.empty(len(outputs))
    for start in range(0, len(outputs), ROWS):
        chunk = slice(start, start + ROWS)
        values[chunk] = loss.rows(Tensor(outputs[chunk]), Tensor(targets[chunk])).value
    return RowLosses(values, weights)


def predictions(
    outputs: np.ndarray, loss: Loss, pipeline: Pipeline, temperature: float = 1.0
) -> np.ndarray:
    """What the outputs mean: probabilities, or values in original units.

    Args:
        outputs: Of the network (n, o).
        loss: Its loss.
        pipeline: Gives values in original units.
        temperature: Divides logits; 1: they stay as they are.
    """
    if temperature != 1:
        outputs = outputs.astype(np.float64) / temperature
    predicted = loss.predictions(outputs, pipeline.schema.task)
    return pipeline.restore(predicted) if pipeline.schema.task == "regression" else predicted


def evaluate(
    outputs: np.ndarray,
    loss: Loss,
    pipeline: Pipeline,
    part: Part,
    metrics: Metrics,
    *,
    temperature: float = 1.0,
    decision: Decision | None = None,
) -> PartEvaluation:
    """The loss and the metrics of a network on a part.

    Args:
        outputs: Of the network in evaluation mode for these rows (n, o).
        loss: Its loss.
        pipeline: Gives predictions in original units.
        part: Rows with targets.
        metrics: Those to compute, by name.
        temperature: Of the probabilities; the loss stays the one that was trained.
        decision: What predictions stand for; None: the most probable class is decided.
    """
    if part.y is None or part.truth is None:
        raise ValueError("a part without targets cannot be evaluated")
    predicted = predictions(outputs, loss, pipeline, temperature)
    decision = decision or Decision(levels=loss.levels)
    outcome = outcome_of(pipeline.schema.task, part.truth, predicted, decision)
    targets = encoded(loss, part.y, target_size(pipeline.schema), outputs.dtype)
    losses = row_losses(loss, outputs, targets, part.weights)
    values = {"loss": losses.mean()} | all_metrics(outcome, metrics)
    return PartEvaluation(values, outcome, losses, outputs)


def baseline_metrics(
    train: Part,
    part: Part,
    pipeline: Pipeline,
    metrics: Metrics,
    levels: tuple[float, ...] = (),
) -> dict[str, float]:
    """The metrics of the baseline: the majority class, or the mean of the training targets.

    Beside the mean stand the quantiles of the training targets at the levels.
    """
    if train.truth is None or part.truth is None:
        raise ValueError("a part without targets has no baseline")
    schema = pipeline.schema
    outcome = baseline(train.truth, part.truth, schema.task, target_size(schema), levels)
    return all_metrics(outcome, metrics)
