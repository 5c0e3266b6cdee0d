"""What predictions stand for: how a class is decided, and which columns are quantiles."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Decision:
    """What the predictions of a model stand for.

    Attributes:
        positive: Of two classes the code of the one that is sought (ill, fraud); of others unused.
        threshold: The probability of the positive class from which on a row is decided to be of it,
            in (0, 1); None: the most probable class, the first of equals.
        levels: Of k predicted quantiles of values their probabilities, rising; empty: values are
            predicted as such.
    """

    positive: int = 1
    threshold: float | None = None
    levels: tuple[float, ...] = ()

    @property
    def central(self) -> int:
        """The quantile that is nearest to the median, the first of equals."""
        return min(range(len(self.levels)), key=lambda i: abs(self.levels[i] - 0.5), default=0)

    def values(self, predictions: np.ndarray) -> np.ndarray:
        """One value per target (n, t), of predictions (n, k t); all others as they are."""
        if len(self.levels) <= 1:
            return predictions
        return self.quantiles(predictions)[:, self.central]

    def quantiles(self, predictions: np.ndarray) -> np.ndarray:
        """The quantiles (n, k, t) of predictions (n, k t)."""
        n, columns = predictions.shape
        k = max(len(self.levels), 1)
        return predictions.reshape(n, k, columns // k)

    def classes(self, probabilities: np.ndarray) -> np.ndarray:
        """The class of each row (n,), from the probabilities (n, k)."""
        if self.threshold is None:
            return probabilities.argmax(axis=1)
        chosen = probabilities[:, self.positive] >= self.threshold
        return np.where(chosen, self.positive, 1 - self.positive)
