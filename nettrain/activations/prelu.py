"""Parametric rectified linear unit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Flag, Real
from nettrain.nn.activation import Activation
from nettrain.nn.initializer import Initializer
from nettrain.nn.parameter import Parameter, Shape, per_unit


@dataclass(frozen=True, kw_only=True)
class Prelu(Activation):
    """PReLU. y = x where x > 0, else slope x; the slope is trained, without weight decay.

    He et al. 2015, eq. 1. PyTorch has one slope unless `num_parameters` says otherwise; Keras has
    one per unit.
    """

    initial: Annotated[Real, Field(description="initial slope")] = 0.25
    shared: Annotated[
        Flag, Field(description="true: one slope; false: one per channel or unit")
    ] = True
    initializer = "he"

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        start = Initializer.parse({"type": "constant", "value": self.initial})
        return {"slope": per_unit(shape, start, "activation", decayed=False, shared=self.shared)}

    def apply(self, x: Tensor) -> Tensor:
        return f.leaky_relu(x, self.initial)

    def apply_with(self, x: Tensor, parameters: Mapping[str, Tensor]) -> Tensor:
        return f.prelu(x, parameters["slope"])
