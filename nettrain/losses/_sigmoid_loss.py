"""The base of the losses of independent 0/1 outputs: p = sigmoid(z)."""

from typing import ClassVar

import numpy as np

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.loss import Loss, Predicted


class SigmoidLoss(Loss):
    """A loss of logits z (n, k) and targets y (n, k) of 0 and 1.

    Two classes need one output, the probability of the second. Of more classes each has an output,
    one against the rest, and their probabilities are scaled to sum to 1. Labels have an output
    each.
    """

    tasks: ClassVar[tuple[str, ...]] = ("classification", "multilabel")
    predicts: ClassVar[Predicted] = "sigmoid"
    lower_bound: ClassVar[float] = 0.0
    applies_activation: ClassVar[tuple[str, ...]] = ("sigmoid", "softmax")

    def outputs(self, task: str, size: int) -> int:
        return 1 if task == "classification" and size == 2 else size

    def encode(self, targets: np.ndarray, size: int) -> np.ndarray:
        if targets.ndim == 2:
            return targets
        return targets[:, None] if size == 2 else np.equal(targets[:, None], np.arange(size))

    def inverse_link(self, outputs: Tensor, task: str) -> Tensor:
        p = f.sigmoid(outputs)
        if task == "multilabel":
            return p
        if p.shape[1] == 1:
            return f.concatenate([1 - p, p], axis=1)
        return p / p.sum(axis=1, keepdims=True)
