"""Accuracy."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import ShareMetric
from nettrain.metrics._outcome import ClassOutcome


@dataclass(frozen=True, kw_only=True)
class Accuracy(ShareMetric[ClassOutcome]):
    """Accuracy. Rows whose predicted class is the true one / n."""

    outcomes = (ClassOutcome,)
    higher_is_better = True

    def right(self, outcome: ClassOutcome) -> np.ndarray:
        """Returns whether the predicted class of each row is the true one (n,)."""
        return outcome.predicted == outcome.targets
