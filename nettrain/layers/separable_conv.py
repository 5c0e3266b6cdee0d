"""Convolution in two parts: each channel alone, then all of them at each pixel."""

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
class SeparableConv(TrainedLayer):
    """y = (x * depthwise) pointwise + b: k = multiplier filters for each channel alone, then a product over channels at each pixel.

    x (n, h, w, c), depthwise (kh, kw, 1, c k), pointwise (1, 1, c k, o), b (o,) -> y (n, p, q, o): c k (kh kw + o) + o parameters.
    Chollet 2017 (Xception), without an activation between the parts, as there.  Keras's SeparableConv2D: the same.
    """

    independent_rows = True

    filters: Annotated[Count, Field(description="channels of the output", examples=[32])]
    kernel: KernelField = 3
    stride: StrideField = 1
    padding: PaddingField = "valid"
    dilation: DilationField = 1
    multiplier: Annotated[Count, Field(description="filters a channel in the first part")] = 1
    bias: Annotated[Flag, Field(description="whether there is a b")] = True
    initializer: Annotated[
        Initializer | None,
        Field(description="of weights; null: what the next activation wants, else xavier"),
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
            "separable_conv", shape
        )

    def output_shape(self, shape: Shape) -> Shape:
        return (*self._windows(shape)[1], self.filters)

    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        kernel, middle = self._windows(shape)[0].kernel, shape[2] * self.multiplier
        size = kernel[0] * kernel[1]
        initializer = self.initializer or Initializer.parse("xavier")
        depthwise = Parameter(
            (*kernel, 1, middle), initializer, fan_in=size, fan_out=size * self.multiplier
        )
        pointwise = Parameter(
            (1, 1, middle, self.filters), initializer, fan_in=middle, fan_out=self.filters
        )
        b = Parameter((self.filters,), self.bias_initializer, decayed=False)
        return {"depthwise": depthwise, "pointwise": pointwise} | ({"b": b} if self.bias else {})

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        windows, _ = self._windows(x.shape[1:])
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
        windows, (down, across) = self._windows(shape)
        return (
            2
            * down
            * across
            * shape[2]
            * self.multiplier
            * (windows.kernel[0] * windows.kernel[1] + self.filters)
        )

    def receptive_field(self, shape: Shape) -> ReceptiveField:
        windows, _ = self._windows(shape)
        return ReceptiveField(windows.reach, windows.stride)
