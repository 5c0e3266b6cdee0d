"""A model's figures on a part of the data: the loss and every metric of the task, in evaluation mode."""
import numpy as np

from nettrain.autodiff.tensor import Tensor
from nettrain.data.part import Part
from nettrain.data.pipeline import Pipeline
from nettrain.metrics import Outcome, all_metrics, baseline, outcome_of
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network
from nettrain.training.build import target_size

ROWS = 1024


def mean_loss(loss: Loss, outputs: np.ndarray, encoded: np.ndarray) -> float:
    """The loss of all rows, averaged in float64."""
    total = 0.0
    for start in range(0, len(outputs), ROWS):
        rows = loss.rows(Tensor(outputs[start : start + ROWS]), Tensor(encoded[start : start + ROWS]))
        total += float(rows.value.sum(dtype=np.float64))
    return total / len(outputs)


def predictions(outputs: np.ndarray, loss: Loss, pipeline: Pipeline) -> np.ndarray:
    """What the outputs mean: probabilities, or values in original units."""
    found = loss.predictions(outputs, pipeline.schema.task)
    return pipeline.restore(found) if pipeline.schema.task == "regression" else found


def evaluate(network: Network, loss: Loss, pipeline: Pipeline, part: Part) -> tuple[dict[str, float], Outcome]:
    """(loss and metrics by name, the outcome they were computed from)."""
    if part.y is None or part.truth is None:
        raise ValueError("a part without targets cannot be evaluated")
    outputs = network.outputs(part.x, ROWS)
    outcome = outcome_of(pipeline.schema.task, part.truth, predictions(outputs, loss, pipeline))
    encoded = loss.encode(part.y, target_size(pipeline.schema))
    return {"loss": mean_loss(loss, outputs, encoded)} | all_metrics(outcome), outcome


def trivial(train: Part, part: Part, pipeline: Pipeline) -> dict[str, float]:
    """The metrics of the trivial baseline: the majority class, or the mean of the training targets."""
    if train.truth is None or part.truth is None:
        raise ValueError("a part without targets has no baseline")
    return all_metrics(baseline(train.truth, part.truth, pipeline.schema.task, target_size(pipeline.schema)))
