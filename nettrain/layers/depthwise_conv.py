"""Depthwise convolution: each channel by itself."""

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
class DepthwiseConv(Convolution):
    """Depthwise convolution. y[p,q,ck+m] = b + sum_ij x[p s + i, q s + j, c] w[i, j, 0, ck + m].

    k = multiplier filters per channel. x (n, h, w, c) -> y (n, p, q, c k): c k (kh kw + 1)
    parameters. The same as `conv` with as many groups as channels. Keras's DepthwiseConv2D has w
    (kh, kw, c, k).
    """

    kernel: KernelField = 3
    stride: StrideField = 1
    padding: PaddingField = "valid"
    dilation: DilationField = 1
    multiplier: Annotated[Count, Field(description="filters per channel")] = 1
    bias: BiasField = True
    initializer: InitializerField = None
    bias_initializer: BiasInitializerField = ZEROS

    def output_shape(self, shape: Shape) -> Shape:
        return (*self.windows(shape)[1], shape[2] * self.multiplier)

    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        kernel, o = self.windows(shape)[0].kernel, shape[2] * self.multiplier
        size = kernel[0] * kernel[1]
        fan_out = size * self.multiplier
        w = Parameter((*kernel, 1, o), self.weight_initializer, fan_in=size, fan_out=fan_out)
        return {"w": w} | self.bias_parameter(o)

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        windows, _ = self.windows(x.shape[1:])
        b = scope["b"] if self.bias else None
        return f.convolution(
            x, scope["w"], b, windows.stride, windows.padding, windows.dilation, x.shape[3]
        )

    def flops(self, shape: Shape) -> int:
        windows, (down, across) = self.windows(shape)
        kh, kw = windows.kernel
        return 2 * down * across * shape[2] * self.multiplier * kh * kw
