"""Random translation by whole pixels."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nettrain.component import Index, Share
from nettrain.data.augmentation import Augmentation
from nettrain.data.warp import Fill, shifted


@dataclass(frozen=True, kw_only=True)
class Shift(Augmentation):
    """Random translation. y[r, s] = x[r - a, s - b], a and b whole, uniform from -pixels to pixels.

    Or up to a fraction of height and width. An error unless one of pixels and share is given, and
    where nothing of an image may stay. torchvision's RandomAffine(translate) takes fractions,
    rounded to whole pixels, and fills with 0; Keras's RandomTranslation takes fractions too, moves
    by parts of a pixel, and reflects at the edge by default.
    """

    moves = True

    pixels: Annotated[Index | None, Field(description="largest move, in pixels", examples=[2])] = (
        None
    )
    share: Annotated[
        Share | None,
        Field(description="largest move, as a fraction of height or width, rounded to pixels"),
    ] = None
    direction: Annotated[
        Literal["both", "horizontal", "vertical"],
        Field(description="horizontal: left and right only; vertical: up and down only"),
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
        """Returns the largest moves down and to the right."""
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
