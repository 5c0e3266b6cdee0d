"""Cross-entropy, the loss of classification."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Share
from nettrain.nn.loss import Loss


@dataclass(frozen=True, kw_only=True)
class CrossEntropy(Loss):
    """Cross-entropy. L = -sum_j q_j ln p_j, p = softmax(z), q_j = (1 - s) [j = y] + s/k.

    Logits z (n, k), classes y (n,); nats per example. Without label smoothing (s = 0) it is -ln
    p_y. The softmax is part of the loss, as in PyTorch's CrossEntropyLoss; Keras expects
    probabilities by default. Smoothing: Szegedy et al. 2016, section 7, as in PyTorch, which
    however, given class weights, weighs each term of the sum by its own class j; here the whole row
    has the weight of its class y.
    """

    label_smoothing: Annotated[
        Share,
        Field(description="s: fraction of the target spread evenly over all k classes"),
    ] = 0.0

    tasks = ("classification",)
    applies_activation = ("softmax",)
    predicts = "softmax"
    lower_bound = 0.0

    def outputs(self, task: str, size: int) -> int:
        return size

    def encode(self, targets: np.ndarray, size: int) -> np.ndarray:
        return targets

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        log_p = f.log_softmax(outputs)
        hit = -f.pick(log_p, targets)
        if not self.label_smoothing:
            return hit
        return hit * (1 - self.label_smoothing) - log_p.mean(axis=1) * self.label_smoothing

    def inverse_link(self, outputs: Tensor, task: str) -> Tensor:
        return f.softmax(outputs)
