"""Balanced accuracy: accuracy as if all classes were equally frequent."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import MeanMetric, share
from nettrain.metrics._outcome import ClassOutcome


@dataclass(frozen=True, kw_only=True)
class BalancedAccuracy(MeanMetric[ClassOutcome]):
    """mean over the classes c that occur of hits_c / actual_c.

    Macro recall differs where a class is predicted that never occurs: there it counts as 0, here not at all.
    Brodersen et al. 2010, "The balanced accuracy and its posterior distribution".
    """

    outcomes = (ClassOutcome,)
    higher_is_better = True

    def each(self, outcome: ClassOutcome) -> np.ndarray:
        """The share of each class that is found (k,); NaN for a class that no row is of."""
        counts = outcome.counts
        return share(counts.hits, counts.actual, counts.actual > 0)
