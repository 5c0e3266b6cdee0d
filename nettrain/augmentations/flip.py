"""Mirror images."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nettrain.data.augmentation import Augmentation

Chance = Annotated[float, Field(strict=True, ge=0, le=1)]


@dataclass(frozen=True, kw_only=True)
class Flip(Augmentation):
    """y[r, s] = x[r, w - 1 - s] (vertical: x[h - 1 - r, s]), in a share of the images; the rest stay as they are.

    For things that look the same from the other side: cats, not digits. Both directions: name it twice. As torchvision's
    RandomHorizontalFlip and RandomVerticalFlip.
    """

    moves = True

    direction: Annotated[
        Literal["horizontal", "vertical"],
        Field(description="horizontal: left and right change places"),
    ] = "horizontal"
    probability: Annotated[
        Chance, Field(description="the share of the images that are mirrored")
    ] = 0.5

    def apply(self, x: np.ndarray, generator: np.random.Generator) -> None:
        chosen = generator.random(len(x)) < self.probability
        x[chosen] = np.flip(x[chosen], 2 if self.direction == "horizontal" else 1)
