"""Images seen from nearer or further."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Positive
from nettrain.data.augmentation import Augmentation
from nettrain.data.warp import Fill, warped


@dataclass(frozen=True, kw_only=True)
class Scale(Augmentation):
    """y(p) = x(m + (p - m) / f), enlarged about its middle m by a factor f that is uniform in [low, high].

    Below 1 an image becomes smaller, and the fill shows around it. The same factor for height and width, as torchvision's
    RandomAffine(scale), which however takes the nearest pixel unless told otherwise; here four are averaged (bilinear).
    Raises ConfigError unless low <= high.
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
