"""The difference of two models on the same rows, and its standard error."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Difference:
    """A mean over rows of paired differences.

    Attributes:
        mean: Of the differences.
        error: The standard error of the mean.
    """

    mean: float
    error: float

    def exceeds(self, errors: float) -> bool:
        """Whether it is above 0 by more than so many standard errors."""
        return math.isfinite(self.mean) and self.mean > errors * self.error and self.mean > 0

    def __str__(self) -> str:
        return f"{self.mean:.3g} +- {self.error:.2g}"


def paired_difference(
    one: np.ndarray, other: np.ndarray, weights: np.ndarray | None = None
) -> Difference:
    """The weighted mean of one - other, and its standard error.

    Paired: what makes a row hard for both models cancels out, so the error is smaller than that of
    two independent means.

    Args:
        one, other: Of the same rows (n,).
        weights: Of the rows (n,); None: all count alike.
    """
    differences = one.astype(np.float64) - other
    shares = np.ones(len(differences)) if weights is None else weights.astype(np.float64)
    shares = shares / (shares.sum() or 1)
    mean = float(shares @ differences)
    spread = shares**2 @ (differences - mean) ** 2
    count = max(len(differences), 2)
    return Difference(mean, math.sqrt(float(spread) * count / (count - 1)))
