"""Convolution of each channel alone."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.ops.windows import Windows
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Count, Flag
from nettrain.layers._image import DilationField, Kernel, KernelField, PaddingField, StrideField
from nettrain.nn.activation import Activation
from nettrain.nn.initializer import Initializer
from nettrain.nn.layer import Layer, Scope, TrainedLayer
from nettrain.nn.parameter import Parameter, Shape
from nettrain.nn.receptive_field import ReceptiveField


@dataclass(frozen=True, kw_only=True)
class DepthwiseConv(TrainedLayer):
    """y[p, q, c k + m] = b + sum_ij x[p s + i, q s + j, c] w[i, j, 0, c k + m]: k = multiplier filters for each channel alone.

    x (n, h, w, c) -> y (n, p, q, c k): c k (kh kw + 1) parameters.  The same as `conv` with as many groups as channels.
    Keras's DepthwiseConv2D keeps w as (kh, kw, c, k).
    """

    independent_rows = True

    kernel: KernelField = 3
    stride: StrideField = 1
    padding: PaddingField = "valid"
    dilation: DilationField = 1
    multiplier: Annotated[Count, Field(description="filters a channel")] = 1
    bias: Annotated[Flag, Field(description="whether there is a b")] = True
    initializer: Annotated[
        Initializer | None,
        Field(description="of w; null: what the next activation wants, else xavier"),
    ] = None
    bias_initializer: Annotated[Initializer, Field(description="of b")] = Initializer.parse("zeros")

    def with_next_activation(self, activation: Activation | None) -> Layer:
        if self.initializer is not None:
            return self
        return self.replace(
            initializer=Initializer.parse(activation.initializer if activation else "xavier")
        )

    def _windows(self, shape: Shape) -> tuple[Windows, tuple[int, int]]:
        return Kernel(self.kernel, self.stride, self.padding, self.dilation).on(
            "depthwise_conv", shape
        )

    def output_shape(self, shape: Shape) -> Shape:
        return (*self._windows(shape)[1], shape[2] * self.multiplier)

    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        kernel, o = self._windows(shape)[0].kernel, shape[2] * self.multiplier
        size = kernel[0] * kernel[1]
        initializer = self.initializer or Initializer.parse("xavier")
        w = Parameter((*kernel, 1, o), initializer, fan_in=size, fan_out=size * self.multiplier)
        b = Parameter((o,), self.bias_initializer, decayed=False)
        return {"w": w, "b": b} if self.bias else {"w": w}

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        windows, _ = self._windows(x.shape[1:])
        b = scope["b"] if self.bias else None
        return f.convolution(
            x, scope["w"], b, windows.stride, windows.padding, windows.dilation, x.shape[3]
        )

    def flops(self, shape: Shape) -> int:
        windows, (down, across) = self._windows(shape)
        return (
            2 * down * across * shape[2] * self.multiplier * windows.kernel[0] * windows.kernel[1]
        )

    def receptive_field(self, shape: Shape) -> ReceptiveField:
        windows, _ = self._windows(shape)
        return ReceptiveField(windows.reach, windows.stride)
