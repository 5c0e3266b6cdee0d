"""Mean absolute error."""

import math
from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import RowMetric
from nettrain.metrics._outcome import ValueOutcome


@dataclass(frozen=True, kw_only=True)
class Mae(RowMetric[ValueOutcome]):
    """Mean absolute error. mean over rows of |predicted - target|; then the mean over targets.

    In units of the target.
    """

    outcomes = (ValueOutcome,)
    higher_is_better = False
    bounds = (0.0, math.inf)

    def rows(self, outcome: ValueOutcome) -> np.ndarray:
        """Returns the absolute error of each row and target (n, t)."""
        return np.abs(outcome.errors)
