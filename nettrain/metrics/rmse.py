"""Root mean squared error."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import MeanMetric
from nettrain.metrics._outcome import ValueOutcome


@dataclass(frozen=True, kw_only=True)
class Rmse(MeanMetric[ValueOutcome]):
    """sqrt(mean over rows of (predicted - target)^2), in units of the target; then the mean over targets.

    With several targets it is not the root of `mse`: the root is taken before the mean, as in scikit-learn.
    """

    outcomes = (ValueOutcome,)
    higher_is_better = False

    def each(self, outcome: ValueOutcome) -> np.ndarray:
        """The root mean squared error of each target (t,)."""
        return np.sqrt(np.square(outcome.errors).mean(axis=0))
