"""Root mean squared error."""

import math
from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import MeanMetric, mean_of_defined, product_cost
from nettrain.metrics._outcome import ValueOutcome


@dataclass(frozen=True, kw_only=True)
class Rmse(MeanMetric[ValueOutcome]):
    """Root mean squared error. sqrt(mean over rows of (predicted - target)^2).

    The mean over targets, in units of the target. With several targets it is not the root of `mse`:
    the root is taken before the mean, as in scikit-learn.
    """

    outcomes = (ValueOutcome,)
    higher_is_better = False
    bounds = (0.0, math.inf)

    def each(self, outcome: ValueOutcome) -> np.ndarray:
        """Returns the root mean squared error of each target (t,)."""
        return np.sqrt(np.square(outcome.errors).mean(axis=0))

    def resampled(self, outcome: ValueOutcome, samples: np.ndarray) -> np.ndarray:
        """sqrt((predicted - target)^2^T samples / n), one row per target."""
        return mean_of_defined(np.sqrt(np.square(outcome.errors).T @ samples / len(samples)))

    def sample_cost(self, outcome: ValueOutcome) -> float:
        """One product of matrices for all targets."""
        return product_cost(outcome.targets.shape[1])
