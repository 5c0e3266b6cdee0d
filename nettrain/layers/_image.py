"""What layers with a kernel share: sizes and padding in YAML, and whether a kernel fits."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from nettrain.autodiff.ops.windows import Pair, Windows
from nettrain.component import Count, Index
from nettrain.errors import ConfigError
from nettrain.nn.parameter import Shape

Size = Count | tuple[Count, Count]
Padding = Literal["valid", "same"] | Index | tuple[Index, Index]

KernelField = Annotated[
    Size, Field(description="size of the window, or [height, width]", examples=[3, [5, 3]])
]
StrideField = Annotated[Size, Field(description="step of the window in pixels, or [down, across]")]
PaddingField = Annotated[
    Padding,
    Field(
        description="zeros around the image: valid: none; same: as many as ceil(size / stride) "
        "windows need, an odd one at the bottom and right; or their number per side, or "
        "[top and bottom, left and right]",
        examples=["same", 1],
    ),
]
DilationField = Annotated[
    Size, Field(description="step of the elements of the window in pixels, or [down, across]")
]


def pair(size: int | tuple[int, int]) -> Pair:
    """Returns both sizes, where one number stands for both."""
    return (size, size) if isinstance(size, int) else size


def image(layer: str, shape: Shape) -> tuple[int, int, int]:
    """Returns height, width and channels of a row.

    Raises:
        ConfigError: rows of this shape are no images.
    """
    if len(shape) == 3:
        return (shape[0], shape[1], shape[2])
    side = math.isqrt(shape[0]) if shape else 0
    suggested = "[height, width, channels]"
    if len(shape) == 2:
        suggested = str([*shape, 1])
    elif len(shape) == 1 and side > 1 and side**2 == shape[0]:
        suggested = str([side, side, 1])
    raise ConfigError(
        f"{layer} takes images of shape (height, width, channels), got rows of shape {shape}: "
        f"put {{type: reshape, shape: {suggested}}} in front"
    )


@dataclass(frozen=True)
class Kernel:
    """A kernel as the fields of a layer describe it."""

    kernel: Size
    stride: Size = 1
    padding: Padding = "valid"
    dilation: Size = 1

    def on(self, layer: str, shape: Shape) -> tuple[Windows, Pair]:
        """Returns its windows on images of this shape, and how many there are, down and across.

        Raises:
            ConfigError: the kernel is larger than the images.
        """
        h, w, _ = image(layer, shape)
        kernel, stride, dilation = pair(self.kernel), pair(self.stride), pair(self.dilation)
        windows = Windows(kernel, stride, ((0, 0), (0, 0)), dilation)
        if self.padding == "same":
            sizes = zip((h, w), windows.reach, stride, strict=True)
            down, across = (
                _sides(max((math.ceil(size / step) - 1) * step + reach - size, 0))
                for size, reach, step in sizes
            )
            windows = Windows(kernel, stride, (down, across), dilation)
        elif self.padding != "valid":
            a, b = pair(self.padding)
            windows = Windows(kernel, stride, ((a, a), (b, b)), dilation)
        grid = windows.grid(h, w)
        if min(grid) < 1:
            (kh, kw), (rh, rw) = kernel, windows.reach
            over = f" that covers {rh} x {rw} (dilation {dilation})" if dilation != (1, 1) else ""
            around = (
                f" with {windows.surrounded(h, w)} pixels, zeros included" if windows.pads else ""
            )
            raise ConfigError(
                f"{layer}: a kernel of {kh} x {kw}{over} is larger than images of shape {shape}"
                f"{around}: take a smaller kernel, `padding: same`, or fewer strides and pools in "
                "front"
            )
        return windows, grid


def _sides(zeros: int) -> Pair:
    return zeros // 2, zeros - zeros // 2
