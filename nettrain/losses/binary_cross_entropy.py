"""The loss of yes and no: two classes, or several labels of which any may hold."""
from dataclasses import dataclass

import numpy as np

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.loss import Loss


@dataclass(frozen=True, kw_only=True)
class BinaryCrossEntropy(Loss):
    """L = -sum_k y_k ln p_k + (1 - y_k) ln(1 - p_k),  p = sigmoid(z).  logits z (n, k), y (n, k) of 0 and 1; nats per example.

    Two classes need one output, the probability of the second; of more classes each has its own against the rest. Written as
    sum softplus(z) - y z, which cannot overflow. Summed over outputs: PyTorch's BCEWithLogitsLoss and Keras average them.
    """

    tasks = ("classification", "multilabel")
    contains = ("sigmoid", "softmax")

    def outputs(self, task: str, size: int) -> int:
        return 1 if task == "classification" and size == 2 else size

    def encode(self, targets: np.ndarray, size: int) -> np.ndarray:
        if targets.ndim == 2:
            return targets
        return targets[:, None] if size == 2 else np.equal(targets[:, None], np.arange(size))

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (f.softplus(outputs) - outputs * targets).sum(axis=1)

    def predictions(self, outputs: np.ndarray, task: str) -> np.ndarray:
        p = f.sigmoid(Tensor(outputs, dtype=np.float64)).value
        if task == "multilabel":
            return p
        if p.shape[1] == 1:
            return np.hstack([1 - p, p])
        return p / p.sum(axis=1, keepdims=True)
