"""Flatten: images become rows of numbers."""

import math
from dataclasses import dataclass

from nettrain.autodiff.tensor import Tensor
from nettrain.nn.layer import Layer, Scope
from nettrain.nn.parameter import Shape


@dataclass(frozen=True, kw_only=True)
class Flatten(Layer):
    """Flatten. (n, h, w, c) -> (n, h w c), channels fastest.

    PyTorch, whose channels come first, has them slowest.
    """

    independent_rows = True

    def output_shape(self, shape: Shape) -> Shape:
        return (math.prod(shape),)

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        return x.reshape(-1, *self.output_shape(x.shape[1:]))
