"""Min-max scaling: each feature spread over one interval."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Real
from nettrain.data.linear import LinearTransform, chunks_of
from nettrain.data.rows.base import LazyRows


@dataclass(frozen=True, kw_only=True)
class Minmax(LinearTransform):
    """Min-max scaling. y = low + (high - low) (x - min) / (max - min).

    min and max of each feature (each pixel) over the training rows; missing cells are left out.
    Other rows may fall outside [low, high]. Where max - min is 0, or no more than rounding, it
    counts as 1: a feature that is constant in training becomes `low`. An error unless low < high.
    scikit-learn's MinMaxScaler: the same, but its bound on rounding is absolute (2e-15).
    """

    low: Annotated[Real, Field(description="lower end: where the smallest training value goes")] = (
        0.0
    )
    high: Annotated[Real, Field(description="upper end: where the largest training value goes")] = (
        1.0
    )

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got low {self.low} and high {self.high}")

    @property
    def offset(self) -> float:
        """Returns the low end."""
        return self.low

    def measure(self, numbers: np.ndarray | LazyRows) -> tuple[np.ndarray, np.ndarray]:
        """Returns min, and (max - min) / (high - low)."""
        ends = [(np.fmin.reduce(x, axis=0), np.fmax.reduce(x, axis=0)) for x in chunks_of(numbers)]
        smallest = np.fmin.reduce([low for low, _ in ends]).astype(np.float64)
        largest = np.fmax.reduce([high for _, high in ends]).astype(np.float64)
        width = largest - smallest
        # a width that rounding alone explains: the numbers are one number, computed in several ways
        rounding = 10 * np.finfo(np.float64).eps * np.maximum(np.abs(smallest), np.abs(largest))
        return smallest, np.where(width <= rounding, 1.0, width) / (self.high - self.low)
