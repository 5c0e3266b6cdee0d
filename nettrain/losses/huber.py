"""Huber loss: squared for small errors, absolute for large ones."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Positive
from nettrain.losses._value_loss import ValueLoss


@dataclass(frozen=True, kw_only=True)
class Huber(ValueLoss):
    """Huber loss. L = 1/t sum_j h(z_j - y_j), h(e) = e^2 / 2, or delta (|e| - delta/2).

    Values z, y (n, t). h is quadratic where |e| <= delta, and linear beyond. delta is in units of
    the transformed target: 1 is one standard deviation under `standardize`. As PyTorch's HuberLoss;
    its SmoothL1Loss is this divided by delta. Huber 1964, section 4.
    """

    delta: Annotated[
        Positive,
        Field(description="error above which it is linear, in units of the transformed target"),
    ] = 1.0

    lower_bound = 0.0

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        error = f.absolute(outputs - targets)
        a = f.minimum(error, self.delta)
        return (a * (error - a * 0.5)).mean(axis=1)  # both cases of h in one
