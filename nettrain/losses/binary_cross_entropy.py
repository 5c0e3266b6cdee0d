"""Binary cross-entropy: two classes, or several labels."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Share
from nettrain.losses._sigmoid_loss import SigmoidLoss


@dataclass(frozen=True, kw_only=True)
class BinaryCrossEntropy(SigmoidLoss):
    """Binary cross-entropy. L = -sum_k y_k ln p_k + (1 - y_k) ln(1 - p_k), p = sigmoid(z).

    Logits z (n, k), targets y (n, k) of 0 and 1; nats per example. Two classes need one output, the
    probability of the second; of more classes each has an output, one against the rest. Computed as
    sum softplus(z) - y z, which cannot overflow. Label smoothing s replaces y by (1 - s) y + s/2,
    as in Keras; PyTorch has none here. Summed over outputs: PyTorch's BCEWithLogitsLoss and Keras
    average them.
    """

    label_smoothing: Annotated[
        Share, Field(description="s: how far the targets move from 0 and 1 towards 0.5")
    ] = 0.0

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        if self.label_smoothing:
            targets = targets * (1 - self.label_smoothing) + self.label_smoothing / 2
        return (f.softplus(outputs) - outputs * targets).sum(axis=1)
