"""What the pools have in common: windows of pixels, and what is told where they do not fit."""

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
    """One number for each window and channel."""

    independent_rows = True

    size: Annotated[Size, Field(description="of the window, or [height, width]", examples=[2])] = 2
    stride: Annotated[
        Size | None,
        Field(description="pixels from window to window, or [down, across]; null: the size"),
    ] = None
    padding: Annotated[
        Padding,
        Field(
            description="pixels around the image that do not count: valid, none; same, so many that ceil(size / stride) windows fit, "
            "an odd one at the bottom and right; or their number on each side, or [top and bottom, left and right]"
        ),
    ] = "valid"

    def windows(self, shape: Shape) -> tuple[Windows, tuple[int, int]]:
        """The windows on images of this shape, and how many there are, down and across."""
        windows, found = Kernel(self.size, self.stride or self.size, self.padding).on(
            self.name(), shape
        )
        if any(
            max(around) >= size
            for around, size in zip(windows.padding, windows.kernel, strict=True)
        ):
            (top, _), (left, _) = windows.padding
            raise ConfigError(
                f"{self.name()}: with {top} pixels of padding above and {left} beside images of shape {shape}, some windows of "
                f"{windows.kernel[0]} x {windows.kernel[1]} would hold no pixel: take less padding than the size"
            )
        return windows, found

    def output_shape(self, shape: Shape) -> Shape:
        return (*self.windows(shape)[1], shape[2])

    def receptive_field(self, shape: Shape) -> ReceptiveField:
        windows, _ = self.windows(shape)
        return ReceptiveField(windows.kernel, windows.stride)


@dataclass(frozen=True, kw_only=True)
class GlobalPool(Layer):
    """One number for each channel."""

    independent_rows = True

    def output_shape(self, shape: Shape) -> Shape:
        return (image(self.name(), shape)[2],)

    def receptive_field(self, shape: Shape) -> ReceptiveField:
        return EVERYTHING
