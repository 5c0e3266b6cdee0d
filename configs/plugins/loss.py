"""A loss of your own, for classification: the squared error of the probabilities.

plugins: [plugins/loss.py]
loss: brier
"""

from dataclasses import dataclass

import numpy as np

from nettrain import Loss, Tensor
from nettrain.autodiff import functions


@dataclass(frozen=True, kw_only=True)
class Brier(Loss):
    """Brier loss. L = sum_j (p_j - y_j)^2, p = softmax z.  Brier 1950.

    Outputs z (n, k), one per class; targets y (n, k) are one-hot.
    """

    tasks = ("classification",)
    applies_activation = ("softmax",)  # which must then not be the last layer of the network

    def outputs(self, task: str, size: int) -> int:
        """Return how many outputs the network needs for `size` classes."""
        return size

    def encode(self, targets: np.ndarray, size: int) -> np.ndarray:
        """Return the class codes (n,) as `rows` takes them."""
        one_hot: np.ndarray = np.eye(size)[targets]
        return one_hot

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each row (n,); the gradient follows from the operations used."""
        error = functions.softmax(outputs) - targets
        return (error * error).sum(axis=1)

    def inverse_link(self, outputs: Tensor, task: str) -> Tensor:
        """Return the probability of each class (n, k)."""
        return functions.softmax(outputs)
