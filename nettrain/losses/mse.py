"""The loss of regression."""
from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.tensor import Tensor
from nettrain.nn.loss import Loss


@dataclass(frozen=True, kw_only=True)
class Mse(Loss):
    """L = 1/t sum_j (z_j - y_j)^2.  values z, y (n, t); in squared units of the transformed target.

    Averaged over outputs, as PyTorch's MSELoss; some books put 1/2 in front.
    """

    tasks = ("regression",)

    def outputs(self, task: str, size: int) -> int:
        return size

    def encode(self, targets: np.ndarray, size: int) -> np.ndarray:
        return targets

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        error = outputs - targets
        return (error * error).mean(axis=1)

    def predictions(self, outputs: np.ndarray, task: str) -> np.ndarray:
        return np.asarray(outputs, dtype=np.float64)
