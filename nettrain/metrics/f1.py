"""F1 score."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import CountMetric, ratio
from nettrain.metrics._outcome import Counts


@dataclass(frozen=True, kw_only=True)
class F1(CountMetric):
    """F1 score. f1_c = 2 hits_c / (actual_c + predicted_c); the mean over classes or labels.

    It is the harmonic mean of precision and recall. A class that occurs neither in targets nor in
    predictions is left out of the mean, as in scikit-learn; such a label counts as 0.
    """

    def of_counts(self, counts: Counts) -> np.ndarray:
        """Returns the F1 score of each class or label (k, ...)."""
        return ratio(2 * counts.hits, counts.actual + counts.predicted, counts.scored)
