"""Multiclass hinge loss, of the support vector machine."""

from dataclasses import dataclass

import numpy as np

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.loss import Loss


@dataclass(frozen=True, kw_only=True)
class Hinge(Loss):
    """Multiclass hinge loss. L = sum_{j != y} max(0, 1 + z_j - z_y).

    Scores z (n, k), classes y (n,). The largest score decides; two classes have two scores. The
    predicted probabilities are softmax(z): in the order of the scores, but not calibrated.
    PyTorch's MultiMarginLoss divides by k. Weston & Watkins 1999.
    """

    tasks = ("classification",)
    applies_activation = ("softmax",)
    predicts = "softmax"
    lower_bound = 0.0

    def outputs(self, task: str, size: int) -> int:
        return size

    def encode(self, targets: np.ndarray, size: int) -> np.ndarray:
        return targets

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        true = f.pick(outputs, targets).reshape((-1, 1))
        # j = y adds exactly 1, without a gradient
        return f.relu(outputs - true + 1).sum(axis=1) - 1

    def inverse_link(self, outputs: Tensor, task: str) -> Tensor:
        return f.softmax(outputs)
