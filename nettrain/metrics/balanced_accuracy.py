"""Balanced accuracy: the mean recall over classes."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import CountMetric, ratio
from nettrain.metrics._outcome import ClassOutcome, Counts


@dataclass(frozen=True, kw_only=True)
class BalancedAccuracy(CountMetric):
    """Balanced accuracy. mean over the classes c that occur of hits_c / actual_c.

    Every class counts alike, however many rows it has. Macro recall differs where a class is
    predicted that never occurs: it counts as 0 there and is left out here. Brodersen et al. 2010,
    "The balanced accuracy and its posterior distribution".
    """

    outcomes = (ClassOutcome,)

    def of_counts(self, counts: Counts) -> np.ndarray:
        """Returns the recall of each class (k, ...); NaN for a class without rows."""
        return ratio(counts.hits, counts.actual, counts.actual > 0)
