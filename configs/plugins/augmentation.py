"""An augmentation of your own: invert some images.

plugins: [plugins/augmentation.py]
dataset: {source: digits, augmentation: [{type: invert, probability: 0.1}]}
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain import Augmentation, Share


@dataclass(frozen=True, kw_only=True)
class Invert(Augmentation):
    """Inversion. y = max x - x, for randomly chosen images."""

    probability: Annotated[Share, Field(description="probability that an image is inverted")] = 0.5

    def apply(self, x: np.ndarray, generator: np.random.Generator) -> None:
        """Change a batch of images x (n, h, w, c) in place."""
        chosen = generator.random(len(x)) < self.probability
        x[chosen] = x[chosen].max(axis=(1, 2, 3), keepdims=True) - x[chosen]
