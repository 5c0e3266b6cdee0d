"""How a class is decided: the most probable one, or one of two by a threshold."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Decision:
    """How the class of a row is decided.

    Attributes:
        positive: Of two classes the code of the one that is sought (ill, fraud); of others unused.
        threshold: The probability of the positive class from which on a row is decided to be of it,
            in (0, 1); None: the most probable class, the first of equals.
    """

    positive: int = 1
    threshold: float | None = None

    def classes(self, probabilities: np.ndarray) -> np.ndarray:
        """The class of each row (n,), from the probabilities (n, k)."""
        if self.threshold is None:
            return probabilities.argmax(axis=1)
        chosen = probabilities[:, self.positive] >= self.threshold
        return np.where(chosen, self.positive, 1 - self.positive)
