"""Group normalization."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import tensor
from nettrain.autodiff.ops.normalization import NormalizeGroups
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Count
from nettrain.errors import ConfigError
from nettrain.layers._normalization import EpsilonField, Normalization
from nettrain.nn.layer import Scope
from nettrain.nn.parameter import Shape


@dataclass(frozen=True, kw_only=True)
class GroupNorm(Normalization):
    """y = gamma (x - m) / sqrt(v + epsilon) + beta, m and v over all places of a row and the channels of a group: each row by itself.

    x (n, ..., c) -> y (n, ..., c), the same in training and in evaluation. As many groups as channels: instance normalization (Ulyanov
    et al. 2016).  Wu & He 2018, eq. 7.  PyTorch's GroupNorm; Keras's epsilon is 1e-3.
    """

    groups: Annotated[
        Count,
        Field(description="parts of the channels, each with a mean and a variance", examples=[8]),
    ]
    epsilon: EpsilonField = 1e-5

    def output_shape(self, shape: Shape) -> Shape:
        if shape[-1] % self.groups:
            divisors = ", ".join(str(g) for g in range(1, shape[-1] + 1) if shape[-1] % g == 0)
            raise ConfigError(
                f"group_norm: {shape[-1]} channels cannot be divided into {self.groups} groups (rows of shape {shape}): "
                f"take as `groups` one of {divisors}"
            )
        return shape

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        return tensor.apply(
            NormalizeGroups(self.groups, self.epsilon), x, scope["gamma"], scope["beta"]
        )
