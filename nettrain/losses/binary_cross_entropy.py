"""The loss of yes and no: two classes, or several labels of which any may hold."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Share
from nettrain.losses._sigmoid_loss import SigmoidLoss


@dataclass(frozen=True, kw_only=True)
class BinaryCrossEntropy(SigmoidLoss):
    """L = -sum_k y_k ln p_k + (1 - y_k) ln(1 - p_k),  p = sigmoid(z).  logits z (n, k), y (n, k) of 0 and 1; nats per example.

    Two classes need one output, the probability of the second; of more classes each has its own against the rest. Written as
    sum softplus(z) - y z, which cannot overflow. Summed over outputs: PyTorch's BCEWithLogitsLoss and Keras average them.
    Label smoothing s puts (1 - s) y + s/2 in the place of y, as Keras does; PyTorch has none here.
    """

    label_smoothing: Annotated[
        Share, Field(description="s: how far the targets move from 0 and 1 towards one half")
    ] = 0.0

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        if self.label_smoothing:
            targets = targets * (1 - self.label_smoothing) + self.label_smoothing / 2
        return (f.softplus(outputs) - outputs * targets).sum(axis=1)
