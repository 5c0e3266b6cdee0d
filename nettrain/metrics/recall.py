"""Recall."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import CountMetric, ratio
from nettrain.metrics._outcome import Counts


@dataclass(frozen=True, kw_only=True)
class Recall(CountMetric):
    """Recall. recall_c = hits_c / actual_c; the mean over classes or labels (macro).

    It is 0 for a class that never occurs but is predicted. A class that occurs neither in targets
    nor in predictions is left out of the mean, as in scikit-learn; a label never is.
    """

    def of_counts(self, counts: Counts) -> np.ndarray:
        """Returns the recall of each class or label (k, ...)."""
        return ratio(counts.hits, counts.actual, counts.scored)
