"""The mean of several members: the end of a network of members."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.errors import ConfigError
from nettrain.nn.layer import Layer, Scope
from nettrain.nn.loss import Loss, Predicted
from nettrain.nn.parameter import Shape


@dataclass(frozen=True, kw_only=True)
class MeanOfMembers(Layer):
    """Mean of the members' predictions. y = g^-1(1/k sum_j g(x_j)), g the prediction of outputs.

    x (n, k, o) -> y (n, o) in evaluation; in training y = x, and the loss is the mean of the
    members' losses. g is the loss's: softmax or sigmoid where it predicts probabilities, e^x for
    rates, else x itself. So the network predicts the mean of the probabilities, or of the values,
    and y are its logits. The last layer of a network with members. Gorishniy et al. 2025 (TabM),
    section 3.1.
    """

    independent_rows = True
    ends_network: ClassVar[bool] = True

    of: Annotated[
        Predicted | None,
        Field(
            description="what is averaged: softmax, sigmoid or exponential of the outputs, or the "
            "values themselves; null: what the loss predicts"
        ),
    ] = None

    def for_loss(self, loss: Loss) -> Layer:
        return self if self.of else self.replace(of=loss.predicts)

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 2:
            raise ConfigError(
                f"mean_of_members takes rows of several members, got rows of shape {shape}: put a "
                "members layer in front of the layers that they have"
            )
        return shape[1:]

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        if scope.training:
            return x
        if self.of == "softmax":
            return _log_mean_exp(f.log_softmax(x))
        if self.of == "sigmoid":  # ln(p / (1 - p)), where p may be so near 1 that 1 - p is 0
            return _log_mean_exp(-f.softplus(-x)) - _log_mean_exp(-f.softplus(x))
        if self.of == "exponential":
            return _log_mean_exp(x)
        return x.mean(axis=1)


def _log_mean_exp(x: Tensor) -> Tensor:
    """ln(1/k sum_j e^x_j) over the members (n, k, o)."""
    return f.logsumexp(x, axis=1) - math.log(x.shape[1])
