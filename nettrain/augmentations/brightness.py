"""Random brightness."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.data.augmentation import Augmentation

Strength = Annotated[float, Field(strict=True, ge=0, le=1)]


@dataclass(frozen=True, kw_only=True)
class Brightness(Augmentation):
    """Random brightness. y = f x, f ~ U[1 - strength, 1 + strength] per image; black stays black.

    As torchvision's ColorJitter(brightness), without clipping. Keras's RandomBrightness adds to the
    values instead.
    """

    strength: Annotated[Strength, Field(description="largest distance of the factor from 1")] = 0.2

    def apply(self, x: np.ndarray, generator: np.random.Generator) -> None:
        factor = generator.uniform(1 - self.strength, 1 + self.strength, (len(x), 1, 1, 1))
        x *= factor.astype(x.dtype)
