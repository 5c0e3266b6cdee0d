"""Convolution."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.ops.windows import Windows
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Count, Flag
from nettrain.errors import ConfigError
from nettrain.layers._image import DilationField, Kernel, KernelField, PaddingField, StrideField
from nettrain.nn.activation import Activation
from nettrain.nn.initializer import Initializer
from nettrain.nn.layer import Layer, Scope, TrainedLayer
from nettrain.nn.parameter import Parameter, Shape
from nettrain.nn.receptive_field import ReceptiveField


@dataclass(frozen=True, kw_only=True)
class Conv(TrainedLayer):
    """y[p, q, o] = b[o] + sum_ijc x[p s + i, q s + j, c] w[i, j, c, o], s the stride.

    x (n, h, w, c) -> y (n, p, q, o): o (kh kw c / groups + 1) parameters; p = floor((h + zeros - kh) / s) + 1.
    LeCun et al. 1989.  PyTorch's Conv2d has x (n, c, h, w), w (o, c, kh, kw) and no `same` with a stride; Keras's Conv2D has these
    shapes and the same `same`. Neither turns the kernel round, as a convolution strictly would.
    """

    independent_rows = True

    filters: Annotated[Count, Field(description="channels of the output", examples=[32])]
    kernel: KernelField = 3
    stride: StrideField = 1
    padding: PaddingField = "valid"
    dilation: DilationField = 1
    groups: Annotated[
        Count, Field(description="parts of the channels that do not see each other")
    ] = 1
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
        return Kernel(self.kernel, self.stride, self.padding, self.dilation).on("conv", shape)

    def output_shape(self, shape: Shape) -> Shape:
        _, (down, across) = self._windows(shape)
        for name, count in (("channels", shape[2]), ("filters", self.filters)):
            if count % self.groups:
                raise ConfigError(
                    f"conv: {count} {name} cannot be divided into {self.groups} groups (images of shape {shape}, {self.filters} filters): "
                    f"take as `groups` a divisor of both {shape[2]} and {self.filters}"
                )
        return (down, across, self.filters)

    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        windows, few = self._windows(shape)[0], shape[2] // self.groups
        size = windows.kernel[0] * windows.kernel[1]
        w = Parameter(
            (*windows.kernel, few, self.filters), self.initializer or Initializer.parse("xavier"),
            fan_in=size * few, fan_out=size * self.filters // self.groups,
        )  # fmt: skip
        b = Parameter((self.filters,), self.bias_initializer, decayed=False)
        return {"w": w, "b": b} if self.bias else {"w": w}

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        windows, _ = self._windows(x.shape[1:])
        b = scope["b"] if self.bias else None
        return f.convolution(
            x, scope["w"], b, windows.stride, windows.padding, windows.dilation, self.groups
        )

    def flops(self, shape: Shape) -> int:
        windows, (down, across) = self._windows(shape)
        return (
            2
            * down
            * across
            * self.filters
            * windows.kernel[0]
            * windows.kernel[1]
            * shape[2]
            // self.groups
        )

    def receptive_field(self, shape: Shape) -> ReceptiveField:
        windows, _ = self._windows(shape)
        return ReceptiveField(windows.reach, windows.stride)
