"""The best temperature: one number, chosen on some rows, that corrects how sure a model is."""

import math

import numpy as np

from nettrain.data.pipeline import Pipeline
from nettrain.metrics import ClassOutcome, LabelOutcome, ValueOutcome, outcome_of
from nettrain.nn.loss import Loss
from nettrain.training.evaluate import predictions

LEAST, MOST = 0.01, 100.0
TOLERANCE = 1e-7  # of ln T
GOLDEN = (math.sqrt(5) - 1) / 2


def log_loss(outcome: ClassOutcome | LabelOutcome) -> float:
    """Mean of -ln of the probability given to what happened, over rows or rows and labels."""
    p = outcome.probabilities.astype(np.float64)
    if isinstance(outcome, LabelOutcome):
        p = np.where(outcome.positives, p, 1 - p)
    else:
        p = p[np.arange(len(p)), outcome.targets]
    return float(-np.log(np.maximum(p, np.finfo(np.float64).tiny)).mean())


def best_temperature(
    loss: Loss, pipeline: Pipeline, outputs: np.ndarray, truth: np.ndarray
) -> tuple[float, float]:
    """The temperature T with the smallest log loss on some rows, sought in [0.01, 100].

    p = softmax(z / T), or sigmoid(z / T). The log loss has a single minimum in 1 / T, which is
    bracketed by golden sections of ln T. Guo et al. 2017, "On Calibration of Modern Neural
    Networks", section 4.2.

    Args:
        loss: Of the network.
        pipeline: Says what is learned.
        outputs: Of the network (n, o).
        truth: Codes of classes (n,), or labels (n, l).

    Returns:
        T, and the log loss with it.
    """
    task = pipeline.schema.task

    def cost(log_t: float) -> float:
        outcome = outcome_of(task, truth, predictions(outputs, loss, pipeline, math.exp(log_t)))
        if isinstance(outcome, ValueOutcome):
            raise TypeError("a regression has no probabilities")
        return log_loss(outcome)

    low, high = math.log(LEAST), math.log(MOST)
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    of_left, of_right = cost(left), cost(right)
    while high - low > TOLERANCE:
        if of_left <= of_right:
            high, right, of_right = right, left, of_left
            left = high - GOLDEN * (high - low)
            of_left = cost(left)
        else:
            low, left, of_left = left, right, of_right
            right = low + GOLDEN * (high - low)
            of_right = cost(right)
    return math.exp((low + high) / 2), min(of_left, of_right)


def is_inside(temperature: float) -> bool:
    """Whether it is a minimum, not an end of what was searched: then nothing is corrected."""
    return 1.01 * LEAST < temperature < 0.99 * MOST
