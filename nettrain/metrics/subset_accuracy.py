"""Subset accuracy: exact match of all labels."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import ShareMetric
from nettrain.metrics._outcome import LabelOutcome


@dataclass(frozen=True, kw_only=True)
class SubsetAccuracy(ShareMetric[LabelOutcome]):
    """Subset accuracy. Rows whose labels are all right / n.

    scikit-learn: accuracy_score of an indicator matrix.
    """

    outcomes = (LabelOutcome,)
    higher_is_better = True

    def right(self, outcome: LabelOutcome) -> np.ndarray:
        """Returns whether all labels of each row are right (n,)."""
        return (outcome.predicted == outcome.positives).all(axis=1)
