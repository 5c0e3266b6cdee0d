"""The base of the regression losses: one output per target column, which is the prediction."""

from typing import ClassVar

import numpy as np

from nettrain.autodiff.tensor import Tensor
from nettrain.nn.loss import Loss


class ValueLoss(Loss):
    """A loss of values z, y (n, t), averaged over the t targets as in PyTorch and Keras."""

    tasks: ClassVar[tuple[str, ...]] = ("regression",)

    def outputs(self, task: str, size: int) -> int:
        return size

    def encode(self, targets: np.ndarray, size: int) -> np.ndarray:
        return targets

    def inverse_link(self, outputs: Tensor, task: str) -> Tensor:
        return outputs
