"""Random zoom."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Positive
from nettrain.data.augmentation import Augmentation
from nettrain.data.warp import Fill, warped


@dataclass(frozen=True, kw_only=True)
class Scale(Augmentation):
    """Random zoom. y(p) = x(m + (p - m) / f), m the centre, f ~ U[low, high] per image.

    Below 1 an image becomes smaller, with the fill around it. Height and width have the same
    factor, as in torchvision's RandomAffine(scale), which however takes the nearest pixel by
    default; here it is bilinear interpolation. An error unless low <= high.
    """

    moves = True

    low: Annotated[Positive, Field(description="smallest factor")] = 0.9
    high: Annotated[Positive, Field(description="largest factor")] = 1.1
    fill: Fill = "black"

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"low must not be above high, got low {self.low} and high {self.high}")

    def apply(self, x: np.ndarray, generator: np.random.Generator) -> None:
        factor = generator.uniform(self.low, self.high, len(x))
        x[...] = warped(x, np.eye(2) / factor[:, np.newaxis, np.newaxis], self.fill)
