"""Random rotation."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.data.augmentation import Augmentation
from nettrain.data.warp import Fill, warped

Degrees = Annotated[float, Field(strict=True, ge=0, le=180)]


@dataclass(frozen=True, kw_only=True)
class Rotate(Augmentation):
    """Random rotation. y(p) = x(m + R (p - m)), m the centre, angle ~ U[-degrees, degrees].

    Positive angles are counter-clockwise, as in torchvision's RandomRotation, which however takes
    the nearest pixel by default; here it is bilinear interpolation.
    """

    moves = True

    degrees: Annotated[Degrees, Field(description="largest angle, in degrees")] = 10.0
    fill: Fill = "black"

    def apply(self, x: np.ndarray, generator: np.random.Generator) -> None:
        angle = np.radians(generator.uniform(-self.degrees, self.degrees, len(x)))
        cosine, sine = np.cos(angle), np.sin(angle)
        x[...] = warped(
            x, np.stack([cosine, sine, -sine, cosine], axis=1).reshape(-1, 2, 2), self.fill
        )
