"""Images moved by whole pixels."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nettrain.component import Index, Share
from nettrain.data.augmentation import Augmentation
from nettrain.data.warp import Fill, shifted


@dataclass(frozen=True, kw_only=True)
class Shift(Augmentation):
    """y[r, s] = x[r - a, s - b],  a and b whole, each as likely, from -pixels to pixels; or to a share of height and width.

    torchvision's RandomAffine(translate) takes shares, rounded to whole pixels, and fills with 0; Keras's RandomTranslation takes shares
    too, moves by fractions of a pixel, and mirrors at the edge unless told otherwise. Raises ConfigError unless one of pixels and share
    is given, and where nothing of an image might stay.
    """

    moves = True

    pixels: Annotated[Index | None, Field(description="furthest move, in pixels", examples=[2])] = (
        None
    )
    share: Annotated[
        Share | None,
        Field(
            description="furthest move, as a share of the height or width, rounded to whole pixels"
        ),
    ] = None
    direction: Annotated[
        Literal["both", "horizontal", "vertical"],
        Field(description="horizontal: to the left and right only; vertical: up and down"),
    ] = "both"
    fill: Fill = "black"

    def __post_init__(self) -> None:
        if (self.pixels is None) == (self.share is None):
            raise ValueError("give how far images move: either pixels or share")

    def validate_size(self, h: int, w: int) -> str | None:
        rows, columns = self.furthest(h, w)
        return (
            f"moves by up to {max(rows, columns)} pixels and might leave nothing: take fewer"
            if rows >= h or columns >= w
            else None
        )

    def furthest(self, h: int, w: int) -> tuple[int, int]:
        """The furthest moves down and to the right."""
        rows, columns = (
            (self.pixels, self.pixels)
            if self.pixels is not None
            else (round((self.share or 0) * size) for size in (h, w))
        )
        return rows * (self.direction != "horizontal"), columns * (self.direction != "vertical")

    def apply(self, x: np.ndarray, generator: np.random.Generator) -> None:
        rows, columns = self.furthest(*x.shape[1:3])
        down = generator.integers(-rows, rows, len(x), endpoint=True)
        right = generator.integers(-columns, columns, len(x), endpoint=True)
        x[...] = shifted(x, down, right, self.fill)
