"""Mean squared error."""

import math
from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import RowMetric
from nettrain.metrics._outcome import ValueOutcome


@dataclass(frozen=True, kw_only=True)
class Mse(RowMetric[ValueOutcome]):
    """Mean squared error. mean over rows of (predicted - target)^2; then the mean over targets.

    In squared units of the target.
    """

    outcomes = (ValueOutcome,)
    higher_is_better = False
    bounds = (0.0, math.inf)

    def rows(self, outcome: ValueOutcome) -> np.ndarray:
        """Returns the squared error of each row and target (n, t)."""
        return np.square(outcome.errors)
