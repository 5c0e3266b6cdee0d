"""Subset accuracy: exact match of all labels."""

from dataclasses import dataclass

from nettrain.metrics._metric import Metric
from nettrain.metrics._outcome import LabelOutcome


@dataclass(frozen=True, kw_only=True)
class SubsetAccuracy(Metric[LabelOutcome]):
    """Subset accuracy. Rows whose labels are all right / n.

    scikit-learn: accuracy_score of an indicator matrix.
    """

    outcomes = (LabelOutcome,)
    higher_is_better = True

    def value(self, outcome: LabelOutcome) -> float:
        """Returns a number in [0, 1]."""
        return float((outcome.predicted == outcome.positives).all(axis=1).mean())
