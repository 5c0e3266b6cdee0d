"""Top-5 accuracy."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import Metric
from nettrain.metrics._outcome import ClassOutcome


@dataclass(frozen=True, kw_only=True)
class Top5Accuracy(Metric[ClassOutcome]):
    """Top-5 accuracy. Rows whose true class is among the five most probable / n.

    Of equal probabilities the last class counts as the more probable, as in scikit-learn's
    top_k_accuracy_score. Not defined for five classes or fewer, where every guess would be right.
    """

    outcomes = (ClassOutcome,)
    higher_is_better = True

    def value(self, outcome: ClassOutcome) -> float | None:
        """Returns a number in [0, 1]; None for five classes or fewer."""
        k = outcome.probabilities.shape[1]
        if k <= 5:
            return None
        p = np.take_along_axis(outcome.probabilities, outcome.targets[:, None], axis=1)
        behind = np.arange(k) > outcome.targets[:, None]
        before = (outcome.probabilities > p) | ((outcome.probabilities == p) & behind)
        return float((before.sum(axis=1) < 5).mean())

    def undefined_reason(self, outcome: ClassOutcome) -> str:
        k = outcome.probabilities.shape[1]
        return f"there are {k} classes, and five guesses among five or fewer are always right"
