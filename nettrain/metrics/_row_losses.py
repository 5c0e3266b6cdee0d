"""The loss of each row of a part, from which its mean and the mean's interval are computed."""

from dataclasses import dataclass

import numpy as np

CHUNK = 1024  # rows that are summed at a time


@dataclass(frozen=True)
class RowLosses:
    """The training loss of n rows.

    Attributes:
        values: The loss of each row (n,), float64.
        weights: How much each row counts (n,); None: all alike.
    """

    values: np.ndarray
    weights: np.ndarray | None = None

    def mean(self) -> float:
        """Returns sum_i w_i L_i / sum_i w_i."""
        chunks = [slice(i, i + CHUNK) for i in range(0, len(self.values), CHUNK)]
        if self.weights is None:
            return float(sum(self.values[chunk].sum() for chunk in chunks)) / len(self.values)
        total = sum(np.dot(self.values[chunk], self.weights[chunk]) for chunk in chunks)
        return float(total) / float(self.weights.sum())

    def take(self, rows: np.ndarray) -> "RowLosses":
        """Returns some of the rows, by index."""
        return RowLosses(self.values[rows], None if self.weights is None else self.weights[rows])

    def resampled(self, samples: np.ndarray) -> np.ndarray:
        """Returns the mean loss (b,) of samples (n, b): how often each row stands in each."""
        if self.weights is None:
            return self.values @ samples / len(self.values)
        weight = self.weights @ samples
        total = (self.weights * self.values) @ samples
        return np.divide(total, weight, out=np.full(len(weight), np.nan), where=weight > 0)
