"""Precision: how far a predicted class can be trusted."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import MeanMetric, share
from nettrain.metrics._outcome import ClassOutcome, LabelOutcome


@dataclass(frozen=True, kw_only=True)
class Precision(MeanMetric[ClassOutcome | LabelOutcome]):
    """precision_c = hits_c / predicted_c, 0 for what is never predicted; the mean over classes or labels ("macro").

    A class that occurs neither in targets nor in predictions is left out of the mean, as in scikit-learn; a label never is.
    """

    outcomes = (ClassOutcome, LabelOutcome)
    higher_is_better = True

    def each(self, outcome: ClassOutcome | LabelOutcome) -> np.ndarray:
        """The share of rows called c that are c (k,)."""
        counts = outcome.counts
        return share(counts.hits, counts.predicted, counts.scored)
