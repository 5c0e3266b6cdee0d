"""Label accuracy: 1 - Hamming loss."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import MeanMetric
from nettrain.metrics._outcome import LabelOutcome


@dataclass(frozen=True, kw_only=True)
class LabelAccuracy(MeanMetric[LabelOutcome]):
    """Label accuracy. Labels that are right / (n l) = 1 - Hamming loss."""

    outcomes = (LabelOutcome,)
    higher_is_better = True

    def each(self, outcome: LabelOutcome) -> np.ndarray:
        """Returns the accuracy of each label (l,)."""
        return (outcome.predicted == outcome.positives).mean(axis=0)
