"""A transform of your own: divide by the largest absolute value in the training part.

plugins: [plugins/transform.py]
dataset: {transforms: [max_abs]}
"""

import dataclasses
from dataclasses import dataclass

import numpy as np

from nettrain import Features, Transform


@dataclass(frozen=True, kw_only=True)
class MaxAbs(Transform):
    """Scaling to [-1, 1]. y = x / max |x|, the maximum over the training part, per column."""

    def fit(self, features: Features) -> dict[str, np.ndarray | list[str]]:
        """Learn the largest absolute value of each column; a column of zeros is divided by 1."""
        largest = np.abs(np.asarray(features.numbers)).max(axis=0)
        return {"largest": np.where(largest > 0, largest, 1.0)}

    def apply(self, features: Features, state: dict[str, np.ndarray | list[str]]) -> Features:
        """Divide by what was learned."""
        numbers = np.asarray(features.numbers) / state["largest"]
        return dataclasses.replace(features, numbers=numbers)
