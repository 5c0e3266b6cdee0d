"""The squared error of small errors, the absolute error of large ones."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Positive
from nettrain.losses._value_loss import ValueLoss


@dataclass(frozen=True, kw_only=True)
class Huber(ValueLoss):
    """L = 1/t sum_j h(z_j - y_j),  h(e) = e^2 / 2 where |e| <= delta, else delta (|e| - delta/2).  values z, y (n, t).

    delta is in units of the transformed target: 1 is one standard deviation under `standardize`. Huber 1964, section 4.
    As PyTorch's HuberLoss; its SmoothL1Loss is this divided by delta.
    """

    delta: Annotated[
        Positive,
        Field(
            description="from which error on it grows linearly, in units of the transformed target"
        ),
    ] = 1.0

    lower_bound = 0.0

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        error = f.absolute(outputs - targets)
        a = f.minimum(error, self.delta)
        return (a * (error - a * 0.5)).mean(axis=1)  # both cases of h in one
