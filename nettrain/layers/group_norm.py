"""Group normalization."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import tensor
from nettrain.autodiff.ops.group_normalization import NormalizeGroups
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Count
from nettrain.errors import ConfigError
from nettrain.layers._normalization import EpsilonField, Normalization
from nettrain.nn.layer import Scope
from nettrain.nn.parameter import Shape


@dataclass(frozen=True, kw_only=True)
class GroupNorm(Normalization):
    """Group normalization. y = gamma (x - m) / sqrt(v + epsilon) + beta, m and v per row and group.

    Mean and variance are over all pixels of a row and the channels of a group, for each of several
    members by itself. x (n, ..., c) -> y (n, ..., c), the same in training and in evaluation. With
    as many groups as channels it is instance normalization (Ulyanov et al. 2016). PyTorch's
    GroupNorm; Keras's epsilon is 1e-3. Wu & He 2018, eq. 7.
    """

    groups: Annotated[
        Count,
        Field(description="groups of channels, each with a mean and a variance", examples=[8]),
    ]
    epsilon: EpsilonField = 1e-5

    def output_shape(self, shape: Shape) -> Shape:
        if shape[-1] % self.groups:
            divisors = ", ".join(str(g) for g in range(1, shape[-1] + 1) if shape[-1] % g == 0)
            raise ConfigError(
                f"group_norm: {shape[-1]} channels cannot be divided into {self.groups} groups "
                f"(rows of shape {shape}): take as `groups` one of {divisors}"
            )
        return shape

    def normalize(
        self, x: Tensor, gamma: Tensor, beta: Tensor, scope: Scope, *, members: int = 1
    ) -> Tensor:
        return tensor.apply(NormalizeGroups(members * self.groups, self.epsilon), x, gamma, beta)
