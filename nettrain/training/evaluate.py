"""A model's figures on a part of the data: the loss and every metric of the task, in evaluation mode.

The loss is the weighted mean where rows have weights, as in training; metrics count every row alike, as those who read them expect.
"""

import numpy as np

from nettrain.autodiff.plan.shards import Together
from nettrain.autodiff.tensor import Tensor
from nettrain.data.part import Part
from nettrain.data.pipeline import Pipeline
from nettrain.metrics import Outcome, all_metrics, baseline, outcome_of
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network
from nettrain.training.build import encoded, target_size

ROWS = 1024


def mean_loss(
    loss: Loss, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """sum_i w_i L_i / sum_i w_i over all rows, in float64; without weights all w_i are 1. targets: encoded."""
    total = 0.0
    for start in range(0, len(outputs), ROWS):
        portion = slice(start, start + ROWS)
        rows = loss.rows(Tensor(outputs[portion]), Tensor(targets[portion])).value
        total += float(
            rows.sum(dtype=np.float64)
            if weights is None
            else np.dot(rows.astype(np.float64), weights[portion])
        )
    return total / (len(outputs) if weights is None else float(weights.sum()))


def predictions(outputs: np.ndarray, loss: Loss, pipeline: Pipeline) -> np.ndarray:
    """What the outputs mean: probabilities, or values in original units."""
    found = loss.predictions(outputs, pipeline.schema.task)
    return pipeline.restore(found) if pipeline.schema.task == "regression" else found


def evaluate(
    network: Network, loss: Loss, pipeline: Pipeline, part: Part, together: Together | None = None
) -> tuple[dict[str, float], Outcome]:
    """(loss and metrics by name, the outcome they were computed from). together: see `Network.outputs`."""
    if part.y is None or part.truth is None:
        raise ValueError("a part without targets cannot be evaluated")
    outputs = network.outputs(part.x, together)
    outcome = outcome_of(pipeline.schema.task, part.truth, predictions(outputs, loss, pipeline))
    targets = encoded(loss, part.y, target_size(pipeline.schema), outputs.dtype)
    return {"loss": mean_loss(loss, outputs, targets, part.weights)} | all_metrics(outcome), outcome


def trivial(train: Part, part: Part, pipeline: Pipeline) -> dict[str, float]:
    """The metrics of the trivial baseline: the majority class, or the mean of the training targets."""
    if train.truth is None or part.truth is None:
        raise ValueError("a part without targets has no baseline")
    return all_metrics(
        baseline(train.truth, part.truth, pipeline.schema.task, target_size(pipeline.schema))
    )
