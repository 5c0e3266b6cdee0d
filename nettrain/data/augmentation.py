"""The base of all augmentations: images changed by chance, so that a network sees a new variant of each in every epoch."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nettrain.component import Component


@dataclass(frozen=True)
class Mix:
    """What rows have become: share times themselves plus (1 - share) times their partner, by its place in the batch (n,)."""

    partner: np.ndarray
    share: float


class Augmentation(Component):
    """Changes the images of a batch by chance: in training only, never in evaluation, nor in what the transforms learn from.

    Images are (n, h, w, c) as they are before `dataset.transforms`, which follow, in the units of the source counted from black: 0 to
    255 for bytes, 0 to 2 where the training images have numbers from -1 to 1. Values are not cut off at any bound; torchvision's colour
    changes cut at 0 and at 1 or 255.

    moves   whether pixels change their places
    mixes   whether rows are mixed with others, and so their targets
    """

    kind = "augmentation"
    package = "nettrain.augmentations"
    moves: ClassVar[bool] = False
    mixes: ClassVar[bool] = False

    def validate_size(self, h: int, w: int) -> str | None:
        """Why images of h x w pixels cannot be changed so; None where they can."""
        return None

    @abstractmethod
    def apply(self, x: np.ndarray, generator: np.random.Generator) -> Mix | None:
        """Change x (n, h, w, c), float32 or float64, in its place. Gives the mix where the rows' targets change too."""
