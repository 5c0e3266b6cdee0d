"""More and less light."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.data.augmentation import Augmentation

Strength = Annotated[float, Field(strict=True, ge=0, le=1)]


@dataclass(frozen=True, kw_only=True)
class Brightness(Augmentation):
    """y = f x,  f uniform in [1 - strength, 1 + strength], one for each image; black stays black.

    As torchvision's ColorJitter(brightness), without cutting off. Keras's RandomBrightness adds to the values instead.
    """

    strength: Annotated[Strength, Field(description="how far the factor may be from 1")] = 0.2

    def apply(self, x: np.ndarray, generator: np.random.Generator) -> None:
        factor = generator.uniform(1 - self.strength, 1 + self.strength, (len(x), 1, 1, 1))
        x *= factor.astype(x.dtype)
