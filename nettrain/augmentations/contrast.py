"""Sharper and softer differences of light."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.data.augmentation import Augmentation

Strength = Annotated[float, Field(strict=True, ge=0, le=1)]


@dataclass(frozen=True, kw_only=True)
class Contrast(Augmentation):
    """y = m + f (x - m),  m the mean of the image, f uniform in [1 - strength, 1 + strength], one for each image.

    m is taken over all pixels and channels; torchvision's ColorJitter(contrast) weighs red, green and blue as the eye does, and cuts off.
    Keras's RandomContrast takes a mean for each channel.
    """

    strength: Annotated[Strength, Field(description="how far the factor may be from 1")] = 0.2

    def apply(self, x: np.ndarray, generator: np.random.Generator) -> None:
        factor = generator.uniform(1 - self.strength, 1 + self.strength, (len(x), 1, 1, 1)).astype(
            x.dtype
        )
        mean = x.mean(axis=(1, 2, 3), keepdims=True)
        x *= factor
        x += mean * (1 - factor)
