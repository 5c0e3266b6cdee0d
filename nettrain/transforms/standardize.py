"""Standardization: mean 0, standard deviation 1."""

from dataclasses import dataclass

import numpy as np

from nettrain.data.linear import LinearTransform, as_float64, mean_of
from nettrain.data.rows.base import LazyRows


@dataclass(frozen=True, kw_only=True)
class Standardize(LinearTransform):
    """Standardization. y = (x - mean) / deviation.

    Mean and standard deviation of each feature (each pixel) over the training rows; missing cells
    are left out. The deviation is that of the population, divided by n as in scikit-learn's
    StandardScaler (pandas divides by n - 1). A feature that is constant in training has deviation 1
    and becomes 0.
    """

    def measure(self, numbers: np.ndarray | LazyRows) -> tuple[np.ndarray, np.ndarray]:
        """Returns mean and deviation, in two passes: one pass cancels where the mean is large."""
        mean, count = mean_of(numbers)
        with np.errstate(invalid="ignore"):  # 0 / 0, as for the mean
            variance = sum(np.nansum((x - mean) ** 2, axis=0) for x in as_float64(numbers)) / count
        # What rounding gives a constant: Chan, Golub & LeVeque 1983, as in scikit-learn.
        epsilon = np.finfo(np.float64).eps
        rounding = count * epsilon * variance + (count * mean * epsilon) ** 2
        return mean, np.where(variance <= rounding, 1.0, np.sqrt(variance))
