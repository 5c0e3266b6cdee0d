"""Mean squared error."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import MeanMetric
from nettrain.metrics._outcome import ValueOutcome


@dataclass(frozen=True, kw_only=True)
class Mse(MeanMetric[ValueOutcome]):
    """Mean squared error. mean over rows of (predicted - target)^2; then the mean over targets.

    In squared units of the target.
    """

    outcomes = (ValueOutcome,)
    higher_is_better = False

    def each(self, outcome: ValueOutcome) -> np.ndarray:
        """Returns the mean squared error of each target (t,)."""
        return np.square(outcome.errors).mean(axis=0)
