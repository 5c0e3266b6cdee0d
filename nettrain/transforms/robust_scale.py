"""Robust scaling: median 0, interquartile range 1."""

import math
from dataclasses import dataclass

import numpy as np

from nettrain.data.linear import LinearTransform
from nettrain.data.rows.base import LazyRows
from nettrain.data.rows.columns import columns_of

_QUARTILES = (0, 0.25, 0.5, 0.75, 1)


@dataclass(frozen=True, kw_only=True)
class RobustScale(LinearTransform):
    """Robust scaling. y = (x - median) / IQR, IQR = q_0.75 - q_0.25.

    Median and interquartile range of each feature (each pixel) over the training rows, so that a
    few extreme values do not decide the unit; missing cells are left out. Where the IQR is 0 the
    unit is (max - min) / 2, and where that is 0 too it is 1: a feature that is constant in training
    becomes 0. A width that rounding explains counts as 0, and so does an IQR of 1e-30 (max - min)
    or less. Holzmüller et al. 2024 (RealMLP), section 3; they multiply constant features by 0,
    which differs for new values alone. scikit-learn's RobustScaler has the unit 1 wherever the IQR
    is 0.
    """

    def measure(self, numbers: np.ndarray | LazyRows) -> tuple[np.ndarray, np.ndarray]:
        """Returns median and unit; NaN for a column without numbers."""
        width = math.prod(numbers.shape[1:])
        median, unit = np.full((2, width), np.nan)
        for index, column in enumerate(columns_of(numbers)):
            present = column[~np.isnan(column)]
            if len(present):
                least, lower, median[index], upper, most = np.quantile(present, _QUARTILES)
                largest = _width(least, most)
                iqr = _width(lower, upper)
                unit[index] = (iqr if iqr > 1e-30 * largest else largest / 2) or 1.0
        return median.reshape(numbers.shape[1:]), unit.reshape(numbers.shape[1:])


def _width(lower: float, upper: float) -> float:
    """Returns upper - lower; 0 where rounding alone explains it."""
    rounding = 10 * np.finfo(np.float64).eps * max(abs(lower), abs(upper))
    return upper - lower if upper - lower > rounding else 0.0
