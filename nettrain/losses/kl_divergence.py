"""Kullback-Leibler divergence, for targets that are probabilities."""

from dataclasses import dataclass

import numpy as np

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.losses._value_loss import ValueLoss

TINY = 1e-30  # lower bound under the logarithm: such a probability adds nothing
SUM = 1e-4  # tolerance of the sum of rounded probabilities


@dataclass(frozen=True, kw_only=True)
class KlDivergence(ValueLoss):
    """Kullback-Leibler divergence. L = sum_j y_j (ln y_j - ln p_j), p = softmax(z).

    Logits z (n, k), probabilities y (n, k) in k target columns; nats per example. For soft labels:
    the fractions of annotators, or the probabilities of another model. 0 ln 0 = 0, and L = 0 where
    p = y. The prediction is p, so targets stay as they are (no target transforms); each row must be
    0 or more and sum to 1. PyTorch's KLDivLoss (reduction batchmean) takes ln p; its default
    reduction divides by k too. Kullback & Leibler 1951.
    """

    applies_activation = ("softmax",)
    raw_targets = True
    predicts = "softmax"
    lower_bound = 0.0

    def validate_targets(self, targets: np.ndarray) -> tuple[int, str] | None:
        if targets.shape[1] < 2:
            return 0, "a single column is no distribution: name one target column per class"
        wrong = np.flatnonzero((targets < 0).any(axis=1) | (np.abs(targets.sum(axis=1) - 1) > SUM))
        if not wrong.size:
            return None
        shown = ", ".join(f"{value:g}" for value in targets[wrong[0], :8]) + (
            "" if targets.shape[1] <= 8 else ", ..."
        )
        return int(wrong[0]), f"({shown}) are no probabilities, which are 0 or more and sum to 1"

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (targets * (f.log(f.maximum(targets, TINY)) - f.log_softmax(outputs))).sum(axis=1)

    def inverse_link(self, outputs: Tensor, task: str) -> Tensor:
        return f.softmax(outputs)
