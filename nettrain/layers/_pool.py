"""The bases of the pooling layers."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff.ops.windows import Windows
from nettrain.errors import ConfigError
from nettrain.layers._image import Kernel, Padding, Size, image
from nettrain.nn.layer import Layer
from nettrain.nn.parameter import Shape
from nettrain.nn.receptive_field import EVERYTHING, ReceptiveField


@dataclass(frozen=True, kw_only=True)
class Pool(Layer):
    """Pooling: one number per window and channel."""

    independent_rows = True

    size: Annotated[
        Size, Field(description="size of the window, or [height, width]", examples=[2])
    ] = 2
    stride: Annotated[
        Size | None,
        Field(description="step of the window in pixels, or [down, across]; null: the size"),
    ] = None
    padding: Annotated[
        Padding,
        Field(
            description="pixels around the image that do not count: valid: none; same: as many as "
            "ceil(size / stride) windows need, an odd one at the bottom and right; or their number "
            "per side, or [top and bottom, left and right]"
        ),
    ] = "valid"

    def windows(self, shape: Shape) -> tuple[Windows, tuple[int, int]]:
        """Returns the windows on images of this shape, and how many there are, down and across.

        Raises:
            ConfigError: the windows do not fit, or some would hold padding alone.
        """
        kernel = Kernel(self.size, self.stride or self.size, self.padding)
        windows, grid = kernel.on(self.name(), shape)
        if any(
            max(around) >= size
            for around, size in zip(windows.padding, windows.kernel, strict=True)
        ):
            (top, _), (left, _) = windows.padding
            raise ConfigError(
                f"{self.name()}: with {top} pixels of padding above and {left} beside images of "
                f"shape {shape}, some windows of {windows.kernel[0]} x {windows.kernel[1]} would "
                "hold no pixel: take less padding than the size"
            )
        return windows, grid

    def output_shape(self, shape: Shape) -> Shape:
        return (*self.windows(shape)[1], shape[2])

    def receptive_field(self, shape: Shape) -> ReceptiveField:
        windows, _ = self.windows(shape)
        return ReceptiveField(windows.kernel, windows.stride)


@dataclass(frozen=True, kw_only=True)
class GlobalPool(Layer):
    """Global pooling: one number per channel."""

    independent_rows = True

    def output_shape(self, shape: Shape) -> Shape:
        return (image(self.name(), shape)[2],)

    def receptive_field(self, shape: Shape) -> ReceptiveField:
        return EVERYTHING
