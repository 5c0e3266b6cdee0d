"""Reshape."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from nettrain.autodiff.tensor import Tensor
from nettrain.component import Count
from nettrain.errors import ConfigError
from nettrain.nn.layer import Layer, Scope
from nettrain.nn.parameter import Shape
from nettrain.nn.receptive_field import EVERYTHING, ReceptiveField


@dataclass(frozen=True, kw_only=True)
class Reshape(Layer):
    """Reshape. y has the numbers of x in the same order, in rows of another shape.

    256 columns of a table become images of [16, 16, 1]. One size may be -1: what is left for it.
    The last axis varies fastest; in images it is the channel.
    """

    independent_rows = True

    shape: Annotated[
        tuple[Count | Literal[-1], ...],
        Field(
            min_length=1,
            description="shape of a row, without the batch; one size may be -1",
            examples=[[16, 16, 1]],
        ),
    ]

    def __post_init__(self) -> None:
        if self.shape.count(-1) > 1:
            raise ValueError(f"only one size may be -1, got {list(self.shape)}")

    def output_shape(self, shape: Shape) -> Shape:
        size, known = math.prod(shape), math.prod(n for n in self.shape if n != -1)
        if size % known or (size != known and -1 not in self.shape):
            open_size = -1 in self.shape
            reason = f": {size} is no multiple of {known}" if open_size else f" ({known} numbers)"
            raise ConfigError(
                f"reshape: rows of shape {shape} hold {size} numbers, which do not make "
                f"{list(self.shape)}{reason}: take sizes whose product is that number, or -1 for "
                "one of them"
            )
        return tuple(size // known if n == -1 else n for n in self.shape)

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        return x.reshape(-1, *self.output_shape(x.shape[1:]))

    def receptive_field(self, shape: Shape) -> ReceptiveField:
        return ReceptiveField() if self.output_shape(shape)[:2] == shape[:2] else EVERYTHING
