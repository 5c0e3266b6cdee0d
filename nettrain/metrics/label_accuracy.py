"""Label accuracy: 1 - Hamming loss."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import RowMetric
from nettrain.metrics._outcome import LabelOutcome


@dataclass(frozen=True, kw_only=True)
class LabelAccuracy(RowMetric[LabelOutcome]):
    """Label accuracy. Labels that are right / (n l) = 1 - Hamming loss."""

    outcomes = (LabelOutcome,)
    higher_is_better = True
    bounds = (0.0, 1.0)

    def rows(self, outcome: LabelOutcome) -> np.ndarray:
        """Returns whether each label of each row is right (n, l)."""
        return outcome.predicted == outcome.positives
