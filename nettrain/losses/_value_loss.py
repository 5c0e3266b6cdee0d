"""The base of the losses of numbers: as many outputs as targets, and an output is the prediction."""

from typing import ClassVar

import numpy as np

from nettrain.nn.loss import Loss


class ValueLoss(Loss):
    """A loss of values z, y (n, t), averaged over the t targets as PyTorch and Keras do."""

    tasks: ClassVar[tuple[str, ...]] = ("regression",)

    def outputs(self, task: str, size: int) -> int:
        return size

    def encode(self, targets: np.ndarray, size: int) -> np.ndarray:
        return targets

    def predictions(self, outputs: np.ndarray, task: str) -> np.ndarray:
        return np.asarray(outputs, dtype=np.float64)
