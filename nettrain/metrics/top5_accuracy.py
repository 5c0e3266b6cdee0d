"""Top-5 accuracy: how often the right class is among five guesses."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import Metric
from nettrain.metrics._outcome import ClassOutcome


@dataclass(frozen=True, kw_only=True)
class Top5Accuracy(Metric[ClassOutcome]):
    """rows whose true class is among the five most probable / n.

    Of equal probabilities the last class counts as the more probable, as in scikit-learn's top_k_accuracy_score. Not defined for five
    classes or fewer, where every guess would be right.
    """

    outcomes = (ClassOutcome,)
    higher_is_better = True

    def value(self, outcome: ClassOutcome) -> float | None:
        """Between 0 and 1."""
        k = outcome.probabilities.shape[1]
        if k <= 5:
            return None
        p = np.take_along_axis(outcome.probabilities, outcome.targets[:, None], axis=1)
        behind = np.arange(k) > outcome.targets[:, None]
        before = (outcome.probabilities > p) | ((outcome.probabilities == p) & behind)
        return float((before.sum(axis=1) < 5).mean())
