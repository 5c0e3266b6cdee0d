"""Cutout: a square of each image is erased."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Index, Real
from nettrain.data.augmentation import Augmentation


@dataclass(frozen=True, kw_only=True)
class Cutout(Augmentation):
    """Cutout. y = value within a square of size x size pixels, x elsewhere.

    The centre is a random pixel, so that the square may extend over the edge. An error where it may
    hide a whole image. DeVries & Taylor 2017, section 3.2, whose images have mean 0, which is what
    they fill with. torchvision's RandomErasing also draws area and proportions, keeps inside the
    image, and leaves half of the images alone.
    """

    size: Annotated[Index, Field(description="side of the square, in pixels", examples=[8])]
    value: Annotated[
        Real, Field(description="value of the square, in units of the source; 0 is black")
    ] = 0.0

    def validate_size(self, h: int, w: int) -> str | None:
        return (
            f"might hide a whole image, with a square of {self.size} pixels: take a smaller one"
            if self.size >= min(h, w)
            else None
        )

    def apply(self, x: np.ndarray, generator: np.random.Generator) -> None:
        n, h, w, _ = x.shape
        top, left = (generator.integers(0, size, (n, 1)) - self.size // 2 for size in (h, w))
        down, right = np.arange(h) - top, np.arange(w) - left
        rows, columns = (down >= 0) & (down < self.size), (right >= 0) & (right < self.size)
        x[rows[:, :, np.newaxis] & columns[:, np.newaxis, :]] = self.value
