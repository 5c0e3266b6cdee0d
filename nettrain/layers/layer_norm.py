"""Layer normalization."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import tensor
from nettrain.autodiff.ops.normalization import NormalizeRows
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Positive
from nettrain.nn.initializer import Initializer
from nettrain.nn.layer import Scope, TrainedLayer
from nettrain.nn.parameter import Parameter, Shape


@dataclass(frozen=True, kw_only=True)
class LayerNorm(TrainedLayer):
    """y = gamma (x - mean x) / sqrt(var x + epsilon) + beta, mean and variance along the last axis: each row by itself.

    x (n, ..., c) -> y (n, ..., c), the same in training and in evaluation.  Ba, Kiros & Hinton 2016, eq. 4.
    PyTorch's LayerNorm((c,)); Keras's epsilon is 1e-3.
    """

    independent_rows = True

    epsilon: Annotated[
        Positive, Field(description="added to the variance: keeps the division finite")
    ] = 1e-5

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        gamma = Parameter(
            shape[-1:], Initializer.parse({"type": "constant", "value": 1.0}), decayed=False
        )
        beta = Parameter(shape[-1:], Initializer.parse("zeros"), decayed=False)
        return {"gamma": gamma, "beta": beta}

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        return tensor.apply(NormalizeRows(self.epsilon), x, scope["gamma"], scope["beta"])
