"""Width of predicted intervals."""

import math
from dataclasses import dataclass

import numpy as np

from nettrain.metrics._outcome import ValueOutcome
from nettrain.metrics._spread import SpreadMetric


@dataclass(frozen=True, kw_only=True)
class IntervalWidth(SpreadMetric):
    """Interval width. mean over rows of upper - lower; then the mean over targets.

    In units of the target. Narrower is better where the coverage is what it should be.
    """

    higher_is_better = False
    bounds = (0.0, math.inf)

    def measured(self, outcome: ValueOutcome) -> np.ndarray | None:
        """Returns the width of each interval (n, t)."""
        if outcome.lower is None or outcome.upper is None:
            return None
        return np.subtract(outcome.upper, outcome.lower, dtype=np.float64)
