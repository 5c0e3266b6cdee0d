"""Logistic loss, in its -1/1 form."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.losses._sign_loss import SignLoss


@dataclass(frozen=True, kw_only=True)
class Logistic(SignLoss):
    """Logistic loss. L = ln(1 + e^(-y z)), y = -1 or 1.

    Outputs z (n, 1), targets y (n, 1): -1 the first of two classes, 1 the second; nats per example.
    p(y|z) = 1 / (1 + e^(-y z)), so it equals `binary_cross_entropy` of two classes. As PyTorch's
    SoftMarginLoss, which however is infinite in float64 where -y z > 709, in float32 from 88 on.
    """

    applies_activation = ("sigmoid", "softmax")

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return f.softplus(-targets * outputs).sum(axis=1)
