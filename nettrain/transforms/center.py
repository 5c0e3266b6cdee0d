"""Mean 0."""

from dataclasses import dataclass

import numpy as np

from nettrain.data.linear import LinearTransform, mean_of
from nettrain.data.rows.base import LazyRows


@dataclass(frozen=True, kw_only=True)
class Center(LinearTransform):
    """y = x - mean.

    The mean of each feature (each pixel) over the training rows; missing cells are left out. As scikit-learn's
    StandardScaler(with_std=False). For features that share one unit, whose spreads say something.
    """

    def measure(self, numbers: np.ndarray | LazyRows) -> tuple[np.ndarray, np.ndarray]:
        """Mean and 1."""
        mean, _ = mean_of(numbers)
        return mean, np.ones_like(mean)
