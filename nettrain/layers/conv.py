"""Convolution."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Count
from nettrain.errors import ConfigError
from nettrain.layers._convolution import Convolution
from nettrain.layers._image import DilationField, KernelField, PaddingField, StrideField
from nettrain.layers._weights import ZEROS, BiasField, BiasInitializerField, InitializerField
from nettrain.nn.layer import Scope
from nettrain.nn.parameter import Parameter, Shape


@dataclass(frozen=True, kw_only=True)
class Conv(Convolution):
    """Convolution. y[p, q, o] = b[o] + sum_ijc x[p s + i, q s + j, c] w[i, j, c, o], s the stride.

    x (n, h, w, c) -> y (n, p, q, o): o (kh kw c / groups + 1) parameters; p = floor((h + zeros -
    kh) / s) + 1. It is a cross-correlation, as everywhere: the kernel is not flipped. PyTorch's
    Conv2d has x (n, c, h, w), w (o, c, kh, kw) and no `same` with a stride; Keras's Conv2D has
    these shapes and this `same`. LeCun et al. 1989.
    """

    filters: Annotated[
        Count, Field(description="number of filters: channels of the output", examples=[32])
    ]
    kernel: KernelField = 3
    stride: StrideField = 1
    padding: PaddingField = "valid"
    dilation: DilationField = 1
    groups: Annotated[
        Count, Field(description="groups of channels that are convolved separately")
    ] = 1
    bias: BiasField = True
    initializer: InitializerField = None
    bias_initializer: BiasInitializerField = ZEROS

    def output_shape(self, shape: Shape) -> Shape:
        _, (down, across) = self.windows(shape)
        for name, count in (("channels", shape[2]), ("filters", self.filters)):
            if count % self.groups:
                raise ConfigError(
                    f"conv: {count} {name} cannot be divided into {self.groups} groups (images of "
                    f"shape {shape}, {self.filters} filters): take as `groups` a divisor of both "
                    f"{shape[2]} and {self.filters}"
                )
        return (down, across, self.filters)

    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        windows, _ = self.windows(shape)
        channels = shape[2] // self.groups  # input channels per group
        size = windows.kernel[0] * windows.kernel[1]
        w = Parameter(
            (*windows.kernel, channels, self.filters),
            self.weight_initializer,
            fan_in=size * channels,
            fan_out=size * self.filters // self.groups,
        )
        return {"w": w} | self.bias_parameter(self.filters)

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        windows, _ = self.windows(x.shape[1:])
        b = scope["b"] if self.bias else None
        return f.convolution(
            x, scope["w"], b, windows.stride, windows.padding, windows.dilation, self.groups
        )

    def flops(self, shape: Shape) -> int:
        windows, (down, across) = self.windows(shape)
        kh, kw = windows.kernel
        return 2 * down * across * self.filters * kh * kw * shape[2] // self.groups
