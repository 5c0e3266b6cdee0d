"""Scaling by a fixed factor."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Positive
from nettrain.data.linear import LinearTransform
from nettrain.data.rows.base import LazyRows


@dataclass(frozen=True, kw_only=True)
class Scale(LinearTransform):
    """Scaling. y = x factor / divide_by.

    Learns nothing. `{type: scale, divide_by: 255}` maps pixels to [0, 1].
    """

    factor: Annotated[Positive, Field(description="multiplies every number")] = 1.0
    divide_by: Annotated[Positive, Field(description="divides every number; 255 for pixels")] = 1.0

    def measure(self, numbers: np.ndarray | LazyRows) -> tuple[np.ndarray, np.ndarray]:
        """Returns 0, and divide_by / factor."""
        row = numbers.shape[1:]
        return np.zeros(row), np.full(row, self.divide_by / self.factor)
