"""Gaussian noise."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import NonNegative
from nettrain.data.augmentation import Augmentation


@dataclass(frozen=True, kw_only=True)
class Noise(Augmentation):
    """Gaussian noise. y = x + deviation e, e ~ N(0, 1) per pixel and channel.

    The layer `gaussian_noise` does this to any values inside a network, in their units.
    torchvision's GaussianNoise clips to [0, 1].
    """

    deviation: Annotated[
        NonNegative,
        Field(
            description="standard deviation, in units of the source (bytes: 0 to 255)",
            examples=[10.0],
        ),
    ]

    def apply(self, x: np.ndarray, generator: np.random.Generator) -> None:
        x += generator.standard_normal(x.shape, x.dtype) * x.dtype.type(self.deviation)
