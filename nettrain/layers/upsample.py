"""Upsampling."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from nettrain.autodiff import tensor
from nettrain.autodiff.ops.interpolation import Interpolate
from nettrain.autodiff.tensor import Tensor
from nettrain.layers._image import Size, image, pair
from nettrain.nn.layer import Layer, Scope
from nettrain.nn.parameter import Shape
from nettrain.nn.receptive_field import ReceptiveField


@dataclass(frozen=True, kw_only=True)
class Upsample(Layer):
    """Upsampling. y[p, q] = x[p // f, q // f] (nearest), or bilinear interpolation.

    x (n, h, w, c) -> y (n, f h, f w, c). Beyond the centres of the outermost pixels bilinear is
    constant. PyTorch's Upsample with its default align_corners=False; Keras's UpSampling2D: the
    same.
    """

    independent_rows = True

    factor: Annotated[Size, Field(description="factor of the size, or [down, across]")] = 2
    method: Annotated[Literal["nearest", "bilinear"], Field(description="interpolation")] = (
        "nearest"
    )

    def output_shape(self, shape: Shape) -> Shape:
        (h, w, c), (down, across) = image("upsample", shape), pair(self.factor)
        return (h * down, w * across, c)

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        (n, h, w, c), (down, across) = x.shape, pair(self.factor)
        if self.method == "bilinear":
            return tensor.apply(Interpolate(2, across), tensor.apply(Interpolate(1, down), x))
        repeated = tensor.broadcast(x.reshape(n, h, 1, w, 1, c), (n, h, down, w, across, c))
        return repeated.reshape(n, h * down, w * across, c)

    def receptive_field(self, shape: Shape) -> ReceptiveField:
        (down, across), reach = pair(self.factor), 1 if self.method == "nearest" else 2
        return ReceptiveField(
            (reach if down > 1 else 1, reach if across > 1 else 1), (1 / down, 1 / across)
        )
