"""F1 score."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import MeanMetric, ratio
from nettrain.metrics._outcome import ClassOutcome, LabelOutcome


@dataclass(frozen=True, kw_only=True)
class F1(MeanMetric[ClassOutcome | LabelOutcome]):
    """F1 score. f1_c = 2 hits_c / (actual_c + predicted_c); the mean over classes or labels.

    It is the harmonic mean of precision and recall. A class that occurs neither in targets nor in
    predictions is left out of the mean, as in scikit-learn; such a label counts as 0.
    """

    outcomes = (ClassOutcome, LabelOutcome)
    higher_is_better = True

    def each(self, outcome: ClassOutcome | LabelOutcome) -> np.ndarray:
        """Returns the F1 score of each class or label (k,)."""
        counts = outcome.counts
        return ratio(2 * counts.hits, counts.actual + counts.predicted, counts.scored)
