"""Mean squared error."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import MeanMetric
from nettrain.metrics._outcome import ValueOutcome


@dataclass(frozen=True, kw_only=True)
class Mse(MeanMetric[ValueOutcome]):
    """mean over rows of (predicted - target)^2, in squared units of the target; then the mean over targets."""

    outcomes = (ValueOutcome,)
    higher_is_better = False

    def each(self, outcome: ValueOutcome) -> np.ndarray:
        """The mean squared error of each target (t,)."""
        return np.square(outcome.errors).mean(axis=0)
