"""Random contrast."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.data.augmentation import Augmentation

Strength = Annotated[float, Field(strict=True, ge=0, le=1)]


@dataclass(frozen=True, kw_only=True)
class Contrast(Augmentation):
    """Random contrast. y = m + f (x - m), f ~ U[1 - strength, 1 + strength] per image.

    m: the mean of the image, over all pixels and channels; torchvision's ColorJitter(contrast)
    weighs red, green and blue as the eye does, and clips. Keras's RandomContrast takes a mean per
    channel.
    """

    strength: Annotated[Strength, Field(description="largest distance of the factor from 1")] = 0.2

    def apply(self, x: np.ndarray, generator: np.random.Generator) -> None:
        factor = generator.uniform(1 - self.strength, 1 + self.strength, (len(x), 1, 1, 1)).astype(
            x.dtype
        )
        mean = x.mean(axis=(1, 2, 3), keepdims=True)
        x *= factor
        x += mean * (1 - factor)
