"""Recall."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import MeanMetric, ratio
from nettrain.metrics._outcome import ClassOutcome, LabelOutcome


@dataclass(frozen=True, kw_only=True)
class Recall(MeanMetric[ClassOutcome | LabelOutcome]):
    """Recall. recall_c = hits_c / actual_c; the mean over classes or labels (macro).

    It is 0 for a class that never occurs but is predicted. A class that occurs neither in targets
    nor in predictions is left out of the mean, as in scikit-learn; a label never is.
    """

    outcomes = (ClassOutcome, LabelOutcome)
    higher_is_better = True

    def each(self, outcome: ClassOutcome | LabelOutcome) -> np.ndarray:
        """Returns the recall of each class or label (k,)."""
        counts = outcome.counts
        return ratio(counts.hits, counts.actual, counts.scored)
