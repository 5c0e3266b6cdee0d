"""The base of all augmentations: random changes of images, new ones in every epoch."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nettrain.component import Component


@dataclass(frozen=True)
class Mix:
    """How the rows of a batch were mixed: share * themselves + (1 - share) * their partner.

    Attributes:
        partner: The index in the batch of each row's partner (n,).
        share: The weight of the row itself.
    """

    partner: np.ndarray
    share: float


class Augmentation(Component):
    """Random changes of the images of a training batch; never in evaluation.

    Images are (n, h, w, c) as they are before `dataset.transforms`, in the units of the source
    counted from black: 0 to 255 for bytes, 0 to 2 where the training images have numbers from -1 to
    1. Values are not clipped; torchvision's colour changes clip at 0 and at 1 or 255.

    Attributes:
        moves: Whether pixels change their places.
        mixes: Whether rows are mixed with others, and so their targets.
    """

    kind = "augmentation"
    package = "nettrain.augmentations"
    moves: ClassVar[bool] = False
    mixes: ClassVar[bool] = False

    def validate_size(self, h: int, w: int) -> str | None:
        """Why images of h x w pixels cannot be changed in this way; None if they can."""
        return None

    @abstractmethod
    def apply(self, x: np.ndarray, generator: np.random.Generator) -> Mix | None:
        """Change x (n, h, w, c), float32 or float64, in place.

        Returns:
            How rows were mixed, if their targets change too.
        """
