"""Dropout."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import tensor
from nettrain.autodiff.ops import dropout
from nettrain.autodiff.tensor import Tensor
from nettrain.layers._dropout import DropoutRate, check_rate
from nettrain.nn.layer import Layer, Scope
from nettrain.nn.parameter import Shape


@dataclass(frozen=True, kw_only=True)
class Dropout(Layer):
    """Dropout. y = x mask / (1 - rate) in training, mask = 0 with probability `rate`.

    y = x in evaluation.     Srivastava et al. 2014.
    """

    independent_rows = True

    rate: Annotated[DropoutRate, Field(description="fraction of the units dropped")] = 0.5

    def __post_init__(self) -> None:
        check_rate(self.rate)

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        if not scope.training or self.rate == 0:
            return x
        share = scope.current(self.rate)
        return tensor.apply(dropout.Dropout(share, scope.generator(scope.path)), x)
