"""Mean absolute error."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import MeanMetric
from nettrain.metrics._outcome import ValueOutcome


@dataclass(frozen=True, kw_only=True)
class Mae(MeanMetric[ValueOutcome]):
    """Mean absolute error. mean over rows of |predicted - target|; then the mean over targets.

    In units of the target.
    """

    outcomes = (ValueOutcome,)
    higher_is_better = False

    def each(self, outcome: ValueOutcome) -> np.ndarray:
        """Returns the mean absolute error of each target (t,)."""
        return np.abs(outcome.errors).mean(axis=0)
