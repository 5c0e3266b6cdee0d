"""Each feature spread over one interval."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Real
from nettrain.data.linear import LinearTransform, chunks_of
from nettrain.data.rows.base import LazyRows


@dataclass(frozen=True, kw_only=True)
class Minmax(LinearTransform):
    """y = low + (high - low) (x - min) / (max - min).

    min and max of each feature (each pixel) over the training rows; missing cells are left out. A constant feature becomes `low`. Other
    rows may fall outside [low, high]. As scikit-learn's MinMaxScaler. Raises ConfigError unless low < high.
    """

    low: Annotated[Real, Field(description="where the smallest value lands")] = 0.0
    high: Annotated[Real, Field(description="where the largest value lands")] = 1.0

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got low {self.low} and high {self.high}")

    @property
    def offset(self) -> float:
        """The low end."""
        return self.low

    def measure(self, numbers: np.ndarray | LazyRows) -> tuple[np.ndarray, np.ndarray]:
        """min, and (max - min) / (high - low)."""
        ends = [(np.fmin.reduce(x, axis=0), np.fmax.reduce(x, axis=0)) for x in chunks_of(numbers)]
        smallest = np.fmin.reduce([low for low, _ in ends]).astype(np.float64)
        width = np.fmax.reduce([high for _, high in ends]).astype(np.float64) - smallest
        return smallest, np.where(width == 0, 1.0, width / (self.high - self.low))
