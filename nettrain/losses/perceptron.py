"""Rosenblatt's perceptron criterion."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.losses._sign_loss import SignLoss


@dataclass(frozen=True, kw_only=True)
class Perceptron(SignLoss):
    """Perceptron criterion. L = max(0, -y z), dL/dz = -y where y z <= 0, else 0.

    Outputs z (n, 1), targets y (n, 1): -1 the first of two classes, 1 the second, which is
    predicted where z > 0. The threshold is part of the loss. With stochastic gradient descent of
    one row at a time (`batch_size: 1`, `optimizer: sgd`) this is Rosenblatt's rule: a row on the
    wrong side, or on the boundary, adds lr y x to w; a right one changes nothing. The predicted
    probabilities are sigmoid(z): in the order of z, but not calibrated. scikit-learn's Perceptron
    minimises the same. Rosenblatt 1958.
    """

    applies_activation = ("step", "sigmoid", "softmax")

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        # at a tie the gradient goes to the first, as in Rosenblatt's rule
        return f.maximum(-targets * outputs, 0).sum(axis=1)
