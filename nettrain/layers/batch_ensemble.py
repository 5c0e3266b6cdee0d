"""Fully connected layers of several members that share their weights."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from nettrain.autodiff.tensor import Tensor
from nettrain.component import Count
from nettrain.errors import ConfigError
from nettrain.layers._weights import BiasField
from nettrain.layers.feature_scale import ONES
from nettrain.nn.initializer import Initializer
from nettrain.nn.layer import Scope, TrainedLayer
from nettrain.nn.parameter import Parameter, Shape
from nettrain.nn.receptive_field import EVERYTHING, ReceptiveField


@dataclass(frozen=True, kw_only=True)
class BatchEnsemble(TrainedLayer):
    """BatchEnsemble. y_j = ((x_j * r_j) w) * s_j + b_j for each member j.

    x (n, k, i), r (k, i), w (i, o), s (k, o), b (k, o) -> y (n, k, o): one product of n k rows with
    the weights that all k members share; r, s and b are what tells them apart. With `scaling:
    inputs` only r does, with `none` nothing: w and b (o,) are everyone's.

    w and b start uniform on [-1/sqrt(i), 1/sqrt(i)], b as the same for all members, s at 1, r as
    `scaling_initializer` says: at least one layer of a network needs random ones, or the members
    stay the same. r has one number for `chunk` neighbouring inputs at the start, as those that a
    feature is embedded in.

    Wen, Tran & Ba 2020 (BatchEnsemble), eq. 5, where all scalings start random; Gorishniy et al.
    2025 (TabM), where only the first r does. LinearBatchEnsemble of the package tabm.
    """

    independent_rows = True

    units: Annotated[Count, Field(description="outputs of each member", examples=[512])]
    scaling: Annotated[
        Literal["full", "inputs", "none"],
        Field(description="what each member has: full: r, s and b; inputs: r; none: nothing"),
    ] = "full"
    scaling_initializer: Annotated[Initializer, Field(description="initializer of r")] = ONES
    chunk: Annotated[
        Count, Field(description="neighbouring inputs that start with the same number in r")
    ] = 1
    bias: BiasField = True
    initializer: Annotated[
        Initializer | None,
        Field(description="initializer of the weights; null: uniform up to 1/sqrt(inputs)"),
    ] = None
    bias_initializer: Annotated[
        Initializer | None,
        Field(description="initializer of the bias; null: uniform up to 1/sqrt(inputs)"),
    ] = None

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 2:
            raise ConfigError(
                f"batch_ensemble takes rows of several members, got rows of shape {shape}: put a "
                "members layer in front"
            )
        if shape[1] % self.chunk:
            raise ConfigError(
                f"batch_ensemble: {shape[1]} inputs are no multiple of chunk, {self.chunk}"
            )
        return (shape[0], self.units)

    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        (k, i), o = shape, self.units
        uniform = uniform_by_inputs(i)
        found = {}
        if self.scaling != "none":
            found["r"] = Parameter(
                (k, i), self.scaling_initializer, repeats=(1, self.chunk), members=k, group="scale"
            )
        found["w"] = Parameter((i, o), self.initializer or uniform, fan_in=i, fan_out=o)
        start, full = self.bias_initializer or uniform, self.scaling == "full"
        if full:
            found["s"] = Parameter((k, o), ONES, members=k, group="scale")
        if self.bias:
            found["b"] = Parameter(
                (k, o) if full else (o,),
                start,
                decayed=False,
                group="bias",
                repeats=(k, 1) if full else None,
            )
        return found

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        _, k, i = x.shape
        if self.scaling != "none":
            x = x * scope["r"]
        y = (x.reshape(-1, i) @ scope["w"]).reshape(-1, k, self.units)
        if self.scaling == "full":
            y = y * scope["s"]
        return y + scope["b"] if self.bias else y

    def flops(self, shape: Shape) -> int:
        return 2 * math.prod(shape) * self.units

    def receptive_field(self, shape: Shape) -> ReceptiveField:
        return EVERYTHING


def uniform_by_inputs(i: int) -> Initializer:
    """Returns the uniform distribution on [-1/sqrt(i), 1/sqrt(i)], PyTorch's for linear layers."""
    bound = 1 / math.sqrt(i)
    return Initializer.parse({"type": "uniform", "low": -bound, "high": bound})
