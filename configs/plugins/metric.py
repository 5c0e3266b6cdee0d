"""A metric of your own: how sure the model is of the true class.

plugins: [plugins/metric.py]
training: {monitor: validation_confidence}
"""

from dataclasses import dataclass

import numpy as np

from nettrain import ClassOutcome, Metric


@dataclass(frozen=True, kw_only=True)
class Confidence(Metric[ClassOutcome]):
    """Confidence. Mean predicted probability of the true class."""

    outcomes = (ClassOutcome,)
    higher_is_better = True
    bounds = (0.0, 1.0)

    def value(self, outcome: ClassOutcome) -> float:
        """Return the metric of n rows: probabilities (n, k), class codes (n,)."""
        rows = np.arange(len(outcome.targets))
        return float(outcome.probabilities[rows, outcome.targets].mean())
