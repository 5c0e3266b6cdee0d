"""Fully connected layers of several members in one batched product."""

import math
from dataclasses import dataclass, replace

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.errors import ConfigError
from nettrain.layers.dense import Dense
from nettrain.nn.parameter import Parameter, Shape


@dataclass(frozen=True, kw_only=True)
class Packed(Dense):
    """Packed dense layers. y_j = x_j w_j + b_j for each member j, all as `dense` otherwise.

    x (n, k, i), w (k, i, o), b (k, o) -> y (n, k, o): k o (i + 1) parameters. The members share
    nothing: each is a network of its own, and computed as fast as products can be batched. In
    training the loss is the mean over the members, so the gradients of each are 1/k of those that
    it would have alone; optimizers that divide by their size, such as adam, make the same steps.
    LinearEnsemble of the package tabm (TabM-packed).
    """

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 2:
            raise ConfigError(
                f"packed takes rows of several members, got rows of shape {shape}: put a members "
                "layer in front"
            )
        if self.units is None:
            raise ConfigError("only the last packed layer may leave `units` out")
        return (shape[0], self.units)

    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        k, i = shape
        return {
            name: replace(array, shape=(k, *array.shape), members=k)
            for name, array in self._arrays(i, self.units or 0).items()
        }

    def flops(self, shape: Shape) -> int:
        return 2 * math.prod(shape) * (self.units or 0)

    def product(self, x: Tensor, w: Tensor) -> Tensor:
        return f.feature_product(x, w)
