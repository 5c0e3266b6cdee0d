"""Zero padding."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Index
from nettrain.layers._image import image
from nettrain.nn.layer import Layer, Scope
from nettrain.nn.parameter import Shape

Side = Index | tuple[Index, Index]


@dataclass(frozen=True, kw_only=True)
class ZeroPad(Layer):
    """Zero padding. y = x surrounded by zeros.

    x (n, h, w, c) -> y (n, h + top + bottom, w + left + right, c). PyTorch's ZeroPad2d has (left,
    right, top, bottom); Keras's ZeroPadding2D: the same as here.
    """

    independent_rows = True

    padding: Annotated[
        Index | tuple[Side, Side],
        Field(
            description="zeros per side, or [top and bottom, left and right], or "
            "[[top, bottom], [left, right]]",
            examples=[1],
        ),
    ]

    def _widths(self) -> tuple[tuple[int, int], ...]:
        sides = (self.padding, self.padding) if isinstance(self.padding, int) else self.padding
        return tuple((side, side) if isinstance(side, int) else side for side in sides)

    def output_shape(self, shape: Shape) -> Shape:
        (h, w, c), ((top, bottom), (left, right)) = image("zero_pad", shape), self._widths()
        return (h + top + bottom, w + left + right, c)

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        return f.pad(x, ((0, 0), *self._widths(), (0, 0)))
