"""Centering: mean 0."""

from dataclasses import dataclass

import numpy as np

from nettrain.data.linear import LinearTransform, mean_of
from nettrain.data.rows.base import LazyRows


@dataclass(frozen=True, kw_only=True)
class Center(LinearTransform):
    """Centering. y = x - mean.

    The mean of each feature (each pixel) over the training rows; missing cells are left out. For
    features of one unit, whose spreads carry information.
    scikit-learn: StandardScaler(with_std=False).
    """

    def measure(self, numbers: np.ndarray | LazyRows) -> tuple[np.ndarray, np.ndarray]:
        """Returns the mean, and 1."""
        mean, _ = mean_of(numbers)
        return mean, np.ones_like(mean)
