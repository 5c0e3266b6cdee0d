"""Gaussian noise."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, Field

from nettrain.autodiff import tensor
from nettrain.autodiff.ops import noise
from nettrain.autodiff.tensor import Tensor
from nettrain.component import NonNegative
from nettrain.nn.layer import Layer, Scope
from nettrain.nn.parameter import Shape
from nettrain.schedules import Scheduled, from_mapping


@dataclass(frozen=True, kw_only=True)
class GaussianNoise(Layer):
    """Gaussian noise. y = x + deviation e in training, e ~ N(0, 1); y = x in evaluation.

    Acts like weight decay: Bishop 1995.
    """

    independent_rows = True

    deviation: Annotated[
        NonNegative | Scheduled,
        BeforeValidator(from_mapping),
        Field(
            description="standard deviation of the noise, in units of x; a mapping lets it follow "
            "a schedule: {value: 0.1, schedule: cosine}"
        ),
    ] = 0.1

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        if not scope.training or self.deviation == 0:
            return x
        deviation = scope.current(self.deviation)
        return tensor.apply(noise.GaussianNoise(deviation, scope.generator(scope.path)), x)
