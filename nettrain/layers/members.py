"""Members: each row goes to several networks, which are trained together."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff.tensor import Tensor, broadcast
from nettrain.component import Count
from nettrain.errors import ConfigError
from nettrain.nn.layer import Layer, Scope
from nettrain.nn.parameter import Shape


@dataclass(frozen=True, kw_only=True)
class Members(Layer):
    """Rows for members. y_j = x for each of k members.

    x (n, i) -> y (n, k, i), without copying. Behind it come layers that treat each member's rows
    with weights of its own (packed, feature_scale, parametric_activation, batch_norm) or of all
    (batch_ensemble), those without weights, and mean_of_members at the end. EnsembleView of the
    package tabm.
    """

    independent_rows = True

    count: Annotated[Count, Field(description="k: the number of members")]

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise ConfigError(
                f"members takes rows of numbers, got rows of shape {shape}: put a flatten layer in "
                "front, and only one layer that makes members into a network"
            )
        return (self.count, *shape)

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        return broadcast(x.reshape(-1, 1, x.shape[1]), (len(x), self.count, x.shape[1]))
