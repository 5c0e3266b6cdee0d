"""Depthwise separable convolution."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Count
from nettrain.layers._convolution import Convolution
from nettrain.layers._image import DilationField, KernelField, PaddingField, StrideField
from nettrain.layers._weights import ZEROS, BiasField, BiasInitializerField, InitializerField
from nettrain.nn.layer import Scope
from nettrain.nn.parameter import Parameter, Shape


@dataclass(frozen=True, kw_only=True)
class SeparableConv(Convolution):
    """Separable convolution. y = (x * depthwise) pointwise + b.

    k = multiplier filters for each channel by itself, then a product over channels at each pixel. x
    (n, h, w, c), depthwise (kh, kw, 1, c k), pointwise (1, 1, c k, o), b (o,) -> y (n, p, q, o): c
    k (kh kw + o) + o parameters. Without an activation between the parts. Keras's SeparableConv2D:
    the same. Chollet 2017 (Xception).
    """

    filters: Annotated[
        Count, Field(description="number of filters: channels of the output", examples=[32])
    ]
    kernel: KernelField = 3
    stride: StrideField = 1
    padding: PaddingField = "valid"
    dilation: DilationField = 1
    multiplier: Annotated[Count, Field(description="filters per channel of the depthwise part")] = 1
    bias: BiasField = True
    initializer: InitializerField = None
    bias_initializer: BiasInitializerField = ZEROS

    def output_shape(self, shape: Shape) -> Shape:
        return (*self.windows(shape)[1], self.filters)

    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        kernel, middle = self.windows(shape)[0].kernel, shape[2] * self.multiplier
        size = kernel[0] * kernel[1]
        initializer = self.weight_initializer
        depthwise = Parameter(
            (*kernel, 1, middle), initializer, fan_in=size, fan_out=size * self.multiplier
        )
        pointwise = Parameter(
            (1, 1, middle, self.filters), initializer, fan_in=middle, fan_out=self.filters
        )
        arrays = {"depthwise": depthwise, "pointwise": pointwise}
        return arrays | self.bias_parameter(self.filters)

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        windows, _ = self.windows(x.shape[1:])
        y = f.convolution(
            x,
            scope["depthwise"],
            None,
            windows.stride,
            windows.padding,
            windows.dilation,
            x.shape[3],
        )
        return f.convolution(y, scope["pointwise"], scope["b"] if self.bias else None)

    def flops(self, shape: Shape) -> int:
        windows, (down, across) = self.windows(shape)
        kh, kw = windows.kernel
        return 2 * down * across * shape[2] * self.multiplier * (kh * kw + self.filters)
