"""Random crop of the padded image."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Index
from nettrain.data.augmentation import Augmentation
from nettrain.data.warp import Fill, shifted


@dataclass(frozen=True, kw_only=True)
class Crop(Augmentation):
    """Random crop. y = a window of the size of x at a random place of x padded by `padding`.

    With `fill: black` it equals `shift` in both directions. An error where a window may hold
    padding alone. He et al. 2016, section 4.2 (CIFAR-10: 4 pixels of 0), as torchvision's
    RandomCrop(padding).
    """

    moves = True

    padding: Annotated[Index, Field(description="pixels of padding on each side")] = 4
    fill: Fill = "reflect"

    def validate_size(self, h: int, w: int) -> str | None:
        return (
            f"might cut out padding alone, with {self.padding} pixels of it: take less"
            if self.padding >= min(h, w)
            else None
        )

    def apply(self, x: np.ndarray, generator: np.random.Generator) -> None:
        top, left = generator.integers(0, 2 * self.padding, (2, len(x)), endpoint=True)
        x[...] = shifted(x, self.padding - top, self.padding - left, self.fill)
