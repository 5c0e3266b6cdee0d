"""Mixup: each row mixed with another one of its batch."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import NonNegative
from nettrain.data.augmentation import Augmentation, Mix


@dataclass(frozen=True, kw_only=True)
class Mixup(Augmentation):
    """Mixup. x_i' = l x_i + (1 - l) x_j, L_i' = l L(y_i) + (1 - l) L(y_j), l ~ Beta(alpha, alpha).

    j: a random partner in the batch; one l per batch. A row keeps its weight (w_i L(y_i), w_j
    L(y_j)). Takes every loss: for those that are linear in the target (cross_entropy,
    binary_cross_entropy) it equals the loss of mixed targets, as in torchvision's MixUp, whose
    partner is the row before. The reported training loss is that of mixed rows, and therefore
    higher. alpha: 0 mixes nothing. Zhang et al. 2018, eq. 1.
    """

    mixes = True

    alpha: Annotated[
        NonNegative, Field(description="0.1 to 0.4: l is mostly near 0 or 1; 1: l is uniform")
    ] = 0.2

    def apply(self, x: np.ndarray, generator: np.random.Generator) -> Mix:
        weight = float(generator.beta(self.alpha, self.alpha)) if self.alpha else 1.0
        partner = generator.permutation(len(x))
        other = x[partner]
        other *= 1 - weight
        x *= weight
        x += other
        return Mix(partner, weight)
