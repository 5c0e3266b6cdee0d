"""The loss of classification."""
from dataclasses import dataclass

import numpy as np

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.loss import Loss


@dataclass(frozen=True, kw_only=True)
class CrossEntropy(Loss):
    """L = -ln p_y,  p = softmax(z).  logits z (n, k), classes y (n,); nats per example.

    The softmax is part of the loss, as in PyTorch's CrossEntropyLoss; Keras's default wants probabilities.
    """

    tasks = ("classification",)
    contains = ("softmax",)

    def outputs(self, task: str, size: int) -> int:
        return size

    def encode(self, targets: np.ndarray, size: int) -> np.ndarray:
        return targets

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return -f.pick(f.log_softmax(outputs), targets)

    def predictions(self, outputs: np.ndarray, task: str) -> np.ndarray:
        return f.softmax(Tensor(outputs, dtype=np.float64)).value
