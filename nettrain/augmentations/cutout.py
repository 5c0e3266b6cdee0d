"""Images with a hole."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Index, Real
from nettrain.data.augmentation import Augmentation


@dataclass(frozen=True, kw_only=True)
class Cutout(Augmentation):
    """y = value in a square of size x size pixels, x elsewhere.  The square's middle is any pixel: it may stand over the edge.

    DeVries & Taylor 2017, section 3.2, whose images have the mean 0, which is what they fill with. torchvision's RandomErasing chooses
    area and proportions too, keeps inside the image, and leaves half of the images alone. Raises ConfigError where the square might
    hide a whole image.
    """

    size: Annotated[Index, Field(description="side of the square, in pixels", examples=[8])]
    value: Annotated[
        Real, Field(description="what is put there, in units of the source; 0 is black")
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
        below, beside = np.arange(h) - top, np.arange(w) - left
        rows, columns = (below >= 0) & (below < self.size), (beside >= 0) & (beside < self.size)
        x[rows[:, :, np.newaxis] & columns[:, np.newaxis, :]] = self.value
