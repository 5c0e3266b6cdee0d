"""Top-5 accuracy."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import ShareMetric
from nettrain.metrics._outcome import ClassOutcome


@dataclass(frozen=True, kw_only=True)
class Top5Accuracy(ShareMetric[ClassOutcome]):
    """Top-5 accuracy. Rows whose true class is among the five most probable / n.

    Of equal probabilities the last class counts as the more probable, as in scikit-learn's
    top_k_accuracy_score. Not defined for five classes or fewer, where every guess would be right.
    """

    outcomes = (ClassOutcome,)
    higher_is_better = True

    def right(self, outcome: ClassOutcome) -> np.ndarray | None:
        """Returns whether the true class is among the five (n,); None for k <= 5 classes."""
        k = outcome.probabilities.shape[1]
        if k <= 5:
            return None
        p = np.take_along_axis(outcome.probabilities, outcome.targets[:, None], axis=1)
        later = np.arange(k) > outcome.targets[:, None]
        ahead = (outcome.probabilities > p) | ((outcome.probabilities == p) & later)
        return ahead.sum(axis=1) < 5

    def undefined_reason(self, outcome: ClassOutcome) -> str:
        k = outcome.probabilities.shape[1]
        return f"there are {k} classes, and five guesses among five or fewer are always right"
