"""Random flip."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nettrain.data.augmentation import Augmentation

Chance = Annotated[float, Field(strict=True, ge=0, le=1)]


@dataclass(frozen=True, kw_only=True)
class Flip(Augmentation):
    """Random flip. y[r, s] = x[r, w - 1 - s] (vertical: x[h - 1 - r, s]), of random images.

    For classes that a mirror does not change: cats, not digits. For both directions name it twice.
    As torchvision's RandomHorizontalFlip and RandomVerticalFlip.
    """

    moves = True

    direction: Annotated[
        Literal["horizontal", "vertical"],
        Field(description="horizontal: swap left and right; vertical: top and bottom"),
    ] = "horizontal"
    probability: Annotated[Chance, Field(description="probability that an image is flipped")] = 0.5

    def apply(self, x: np.ndarray, generator: np.random.Generator) -> None:
        chosen = generator.random(len(x)) < self.probability
        x[chosen] = np.flip(x[chosen], 2 if self.direction == "horizontal" else 1)
