"""The base of the losses of two classes called -1 and 1."""

from typing import ClassVar

import numpy as np

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.errors import ConfigError
from nettrain.nn.loss import Loss, Predicted


class SignLoss(Loss):
    """A loss of one output z (n, 1) and targets y (n, 1): -1 the first class, 1 the second.

    The second class is predicted where z > 0.
    """

    tasks: ClassVar[tuple[str, ...]] = ("classification",)
    predicts: ClassVar[Predicted] = "sigmoid"
    lower_bound: ClassVar[float] = 0.0

    def outputs(self, task: str, size: int) -> int:
        if size != 2:
            raise ConfigError(
                f"loss: {self.name()} is for two classes, the target has {size}; use "
                "`loss: cross_entropy` or `loss: hinge`"
            )
        return 1

    def encode(self, targets: np.ndarray, size: int) -> np.ndarray:
        return np.where(targets[:, None] == 1, np.float32(1), np.float32(-1))

    def inverse_link(self, outputs: Tensor, task: str) -> Tensor:
        # not 1 - p: near 1 that would lose the digits by which confident rows differ
        return f.sigmoid(f.concatenate([-outputs, outputs], axis=1))
